// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPrivateKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.EdDSAParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Signatures over a good token that are not to be verified, most of them made with the very key: what no provider would make. */
final class HostileSignatures {
    /** The order of Ed25519's group (RFC 8032 section 5.1). */
    private static final BigInteger ED25519_ORDER =
            BigInteger.TWO.pow(252).add(new BigInteger("27742317777372353535851937790883648493"));

    private final TestTokens key;
    private final byte[] input;
    private final byte[] good;
    private final Map<String, byte[]> variants = new LinkedHashMap<>();

    private HostileSignatures(TestTokens key) {
        this.key = key;
        var token = key.issue();
        this.input = token.substring(0, token.lastIndexOf('.')).getBytes(StandardCharsets.US_ASCII);
        this.good = Base64.getUrlDecoder().decode(token.substring(token.lastIndexOf('.') + 1));
    }

    /** By what they are: signatures to put in the place of that of {@link TestTokens#issue()}. */
    static Map<String, byte[]> variants(TestTokens key) {
        var signatures = new HostileSignatures(key);
        try {
            signatures.ofAnyKind();
            switch (key.publicKey()) {
                case RSAPublicKey rsa -> signatures.ofRsa(rsa, (RSAPrivateKey) key.privateKey());
                case ECPublicKey ec -> signatures.ofEcdsa(ec);
                case PublicKey _ -> signatures.ofEd25519();
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
        return signatures.variants;
    }

    private void ofAnyKind() {
        int length = good.length;
        variants.put("zeros", new byte[length]);
        variants.put("ones", filled(length, (byte) 0xff));
        variants.put("the first byte changed", flipped(0, 0x01));
        variants.put("the last byte changed", flipped(length - 1, 0x01));
        variants.put("the highest bit changed", flipped(0, 0x80));
        variants.put("one byte short", Arrays.copyOf(good, length - 1));
        variants.put("the first byte missing", Arrays.copyOfRange(good, 1, length));
        variants.put("one zero more", Arrays.copyOf(good, length + 1));
        variants.put("a zero before", concat(new byte[1], good));
        variants.put("half of it", Arrays.copyOf(good, length / 2));
        variants.put("twice", concat(good, good));
        variants.put("backwards", reversed(good));
        variants.put("as hexadecimal text", HexFormat.of().formatHex(good).getBytes(StandardCharsets.US_ASCII));
        variants.put("of nothing", key.signature(""));
        variants.put("of the claims alone", key.signature(text().substring(text().indexOf('.') + 1)));
        variants.put("of the text and a line feed", key.signature(text() + "\n"));
    }

    private String text() {
        return new String(input, StandardCharsets.US_ASCII);
    }

    // RSA (RFC 8017)

    private void ofRsa(RSAPublicKey rsa, RSAPrivateKey secret) throws GeneralSecurityException {
        var n = rsa.getModulus();
        variants.put("the number one", fixed(BigInteger.ONE, good.length));
        variants.put("the modulus", fixed(n, good.length));
        variants.put("the modulus less one", fixed(n.subtract(BigInteger.ONE), good.length));
        variants.put("negated", fixed(n.subtract(new BigInteger(1, good)), good.length));
        variants.put("the modulus added", fixed(n.add(new BigInteger(1, good)), good.length + 1));
        int bits = Integer.parseInt(key.algorithm().toString().substring(2));
        boolean isPss = key.algorithm().toString().startsWith("PS");
        for (var hash : List.of("1", "256", "384", "512")) {
            if (isPss || !hash.equals(String.valueOf(bits))) {
                variants.put("in PKCS1 with SHA-" + hash, signedBy(Signature.getInstance("SHA" + hash + "withRSA")));
            }
        }
        int hashLength = bits / 8;
        for (int salt : new int[] {0, 8, 20, hashLength - 1, hashLength + 1, hashLength}) {
            if (!isPss || salt != hashLength) {
                variants.put("in PSS with a salt of " + salt, pss("SHA-" + bits, "SHA-" + bits, salt));
            }
        }
        variants.put("in PSS with another mask", pss("SHA-" + bits, "SHA-1", hashLength));
        variants.put("in PSS with another hash", pss("SHA-1", "SHA-" + bits, hashLength));
        var digest = MessageDigest.getInstance("SHA-" + bits).digest(input);
        var digestInfo = concat(digestInfoPrefix(bits), digest);
        raw("the bare hash", digest, rsa, secret);
        raw("padding of type 0", padded(0x00, (byte) 0x00, digestInfo), rsa, secret);
        raw("padding of type 2", padded(0x02, (byte) 0xff, digestInfo), rsa, secret);
        raw("padding of other bytes", padded(0x01, (byte) 0xfe, digestInfo), rsa, secret);
        raw("padding without its end", noEnd(digestInfo), rsa, secret);
        raw("short padding and text after the hash", shortPadding(digestInfo), rsa, secret);
        raw("padding around the bare hash", padded(0x01, (byte) 0xff, digest), rsa, secret);
        raw("padding around no hash", padded(0x01, (byte) 0xff, new byte[0]), rsa, secret);
        raw("a hash without its NULL", padded(0x01, (byte) 0xff, concat(withoutNull(bits), digest)), rsa, secret);
    }

    private byte[] signedBy(Signature signature) throws GeneralSecurityException {
        signature.initSign(key.privateKey());
        signature.update(input);
        return signature.sign();
    }

    private byte[] pss(String hash, String mask, int salt) throws GeneralSecurityException {
        var signature = Signature.getInstance("RSASSA-PSS");
        signature.setParameter(new PSSParameterSpec(
                hash, "MGF1", new MGF1ParameterSpec(mask), salt, PSSParameterSpec.TRAILER_FIELD_BC));
        return signedBy(signature);
    }

    private void raw(String what, byte[] encoded, RSAPublicKey rsa, RSAPrivateKey secret) {
        var signature = new BigInteger(1, encoded).modPow(secret.getPrivateExponent(), rsa.getModulus());
        variants.put(what, fixed(signature, good.length));
    }

    private byte[] padded(int type, byte filler, byte[] content) {
        var encoded = filled(good.length, filler);
        encoded[0] = 0;
        encoded[1] = (byte) type;
        encoded[good.length - content.length - 1] = 0;
        System.arraycopy(content, 0, encoded, good.length - content.length, content.length);
        return encoded;
    }

    private byte[] noEnd(byte[] content) {
        var encoded = padded(0x01, (byte) 0xff, content);
        encoded[good.length - content.length - 1] = (byte) 0xff;
        return encoded;
    }

    /** After Bleichenbacher's forgery for exponent 3 (2006): what follows the hash is not looked at. */
    private byte[] shortPadding(byte[] content) {
        var encoded = filled(good.length, (byte) 0x5a);
        encoded[0] = 0;
        encoded[1] = 1;
        Arrays.fill(encoded, 2, 10, (byte) 0xff);
        encoded[10] = 0;
        System.arraycopy(content, 0, encoded, 11, content.length);
        return encoded;
    }

    /** RFC 8017 section 9.2, note 1. */
    private static byte[] digestInfoPrefix(int bits) {
        return HexFormat.of()
                .parseHex(
                        switch (bits) {
                            case 256 -> "3031300d060960864801650304020105000420";
                            case 384 -> "3041300d060960864801650304020205000430";
                            default -> "3051300d060960864801650304020305000440";
                        });
    }

    private static byte[] withoutNull(int bits) {
        return HexFormat.of()
                .parseHex(
                        switch (bits) {
                            case 256 -> "302f300b06096086480165030402010420";
                            case 384 -> "303f300b06096086480165030402020430";
                            default -> "304f300b06096086480165030402030440";
                        });
    }

    // ECDSA (RFC 7518 section 3.4)

    private void ofEcdsa(ECPublicKey ec) throws GeneralSecurityException {
        var n = ec.getParams().getOrder();
        var p = ((java.security.spec.ECFieldFp) ec.getParams().getCurve().getField()).getP();
        int length = good.length / 2;
        var r = new BigInteger(1, Arrays.copyOf(good, length));
        var s = new BigInteger(1, Arrays.copyOfRange(good, length, good.length));
        // "Psychic signatures", CVE-2022-21449: zeros satisfied the equation where nobody looked at the ranges.
        for (var each :
                List.of(BigInteger.ZERO, n, BigInteger.ONE, n.subtract(BigInteger.ONE), n.add(BigInteger.ONE), p)) {
            var name =
                    each.equals(n) ? "n" : each.equals(p) ? "p" : each.bitLength() < 2 ? each.toString() : "n and one";
            variants.putIfAbsent("r and s of " + name + " (" + (each.compareTo(n) > 0) + ")", pair(each, each, length));
            variants.putIfAbsent("r of " + name + " (" + (each.compareTo(n) > 0) + ")", pair(each, s, length));
            variants.putIfAbsent("s of " + name + " (" + (each.compareTo(n) > 0) + ")", pair(r, each, length));
        }
        for (var more : List.of(r.add(n), s.add(n))) {
            if (more.bitLength() <= 8 * length) {
                variants.put(
                        "n added to " + (more.equals(r.add(n)) ? "r" : "s"),
                        more.equals(r.add(n)) ? pair(more, s, length) : pair(r, more, length));
            }
        }
        variants.put("r negated", pair(n.subtract(r), s, length));
        variants.put("r and s swapped", pair(s, r, length));
        variants.put("in DER", signedBy(Signature.getInstance("SHA" + hashBits() + "withECDSA")));
        variants.put("each half with a zero before", pair(r, s, length + 1));
        variants.put("with another hash", signedBy(Signature.getInstance("SHA1withECDSAinP1363Format")));
        variants.put("of the hash of the hash", signedHash());
    }

    private String hashBits() {
        return key.algorithm().toString().substring(2);
    }

    private byte[] signedHash() throws GeneralSecurityException {
        var digest = MessageDigest.getInstance("SHA-" + hashBits()).digest(input);
        var signature = Signature.getInstance("SHA" + hashBits() + "withECDSAinP1363Format");
        signature.initSign(key.privateKey());
        signature.update(digest);
        return signature.sign();
    }

    private static byte[] pair(BigInteger r, BigInteger s, int length) {
        return concat(fixed(r, length), fixed(s, length));
    }

    // Ed25519 (RFC 8032 section 5.1)

    private void ofEd25519() throws GeneralSecurityException {
        var r = Arrays.copyOf(good, 32);
        var s = new BigInteger(1, reversed(Arrays.copyOfRange(good, 32, 64)));
        variants.put("the order added to S", concat(r, littleEndian(s.add(ED25519_ORDER))));
        variants.put("an S of zero", concat(r, new byte[32]));
        variants.put("an S of the order", concat(r, littleEndian(ED25519_ORDER)));
        variants.put(
                "an R of the neutral element", concat(littleEndian(BigInteger.ONE), Arrays.copyOfRange(good, 32, 64)));
        variants.put("the neutral element and zero", concat(littleEndian(BigInteger.ONE), new byte[32]));
        variants.put("R and S swapped", concat(Arrays.copyOfRange(good, 32, 64), r));
        variants.put("the sign of R changed", flipped(31, 0x80));
        var prehashed = Signature.getInstance("Ed25519");
        prehashed.setParameter(new EdDSAParameterSpec(true));
        variants.put("over the hash (Ed25519ph)", signedBy(prehashed));
        var withContext = Signature.getInstance("Ed25519");
        withContext.setParameter(new EdDSAParameterSpec(false, new byte[] {1}));
        variants.put("with a context (Ed25519ctx)", signedBy(withContext));
    }

    private static byte[] littleEndian(BigInteger value) {
        return reversed(fixed(value, 32));
    }

    // public keys as secrets

    /** After Tim McLean, "Critical vulnerabilities in JSON Web Token libraries" (2015). */
    static Map<String, String> hmacWithPublicKeys(List<TestTokens> keys) {
        var tokens = new LinkedHashMap<String, String>();
        for (var key : keys) {
            var encoded = key.publicKey().getEncoded();
            var pem = "-----BEGIN PUBLIC KEY-----\n"
                    + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded)
                    + "\n-----END PUBLIC KEY-----";
            var secrets = new LinkedHashMap<String, byte[]>();
            secrets.put("DER", encoded);
            secrets.put("PEM", pem.getBytes(StandardCharsets.US_ASCII));
            secrets.put("PEM and a line feed", (pem + "\n").getBytes(StandardCharsets.US_ASCII));
            secrets.put("JWK", TestTokens.json(key.jwk()).getBytes(StandardCharsets.US_ASCII));
            secrets.put("kid", key.kid().getBytes(StandardCharsets.US_ASCII));
            secrets.forEach((form, secret) -> tokens.put(
                    "HMAC with the public key of %s as secret, in %s".formatted(key.algorithm(), form),
                    hmac(key, secret)));
        }
        return tokens;
    }

    private static String hmac(TestTokens key, byte[] secret) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            var input = TestTokens.base64Url(key.token().header("alg", "HS256").headerJson())
                    + "."
                    + TestTokens.base64Url(key.token().claimsJson());
            return input + "." + TestTokens.base64Url(mac.doFinal(input.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    // bytes

    private byte[] flipped(int index, int bits) {
        var copy = good.clone();
        copy[index] ^= (byte) bits;
        return copy;
    }

    private static byte[] filled(int length, byte value) {
        var bytes = new byte[length];
        Arrays.fill(bytes, value);
        return bytes;
    }

    private static byte[] reversed(byte[] bytes) {
        var copy = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            copy[i] = bytes[bytes.length - 1 - i];
        }
        return copy;
    }

    private static byte[] concat(byte[] one, byte[] other) {
        var out = new ByteArrayOutputStream();
        out.writeBytes(one);
        out.writeBytes(other);
        return out.toByteArray();
    }

    private static byte[] fixed(BigInteger value, int length) {
        var signed = value.toByteArray();
        var bytes = new byte[length];
        int significant = Math.min(signed.length, length);
        System.arraycopy(signed, signed.length - significant, bytes, length - significant, significant);
        return bytes;
    }
}
