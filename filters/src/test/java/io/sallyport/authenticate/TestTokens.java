// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.pipeline.FakeRequest;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * One signing key of an issuer, and the tokens that it signs: good ones by default, with a knob for everything that can be wrong.
 * Signs with the JDK alone, so that what verifies is not tested against itself.
 */
public final class TestTokens {
    public static final String ISSUER = "https://idp.example.org/realms/corp";
    public static final String AUDIENCE = "https://api.example.org";
    public static final String SUBJECT = "alice";

    private static final JsonMapper JSON = JsonMapper.builder().build();
    // One pair for each kind of key: making an RSA key takes its time.
    private static final Map<String, KeyPair> OURS = new ConcurrentHashMap<>();
    private static final Map<String, KeyPair> FORGERS = new ConcurrentHashMap<>();

    private final SignatureAlgorithm algorithm;
    private final KeyPair keys;
    private final String kid;

    private TestTokens(SignatureAlgorithm algorithm, KeyPair keys, String kid) {
        this.algorithm = algorithm;
        this.keys = keys;
        this.kid = kid;
    }

    /** With this JVM's key for that algorithm. */
    public static TestTokens signedWith(SignatureAlgorithm algorithm) {
        return new TestTokens(algorithm, shared(OURS, algorithm), "key-" + algorithm);
    }

    private static KeyPair shared(Map<String, KeyPair> pairs, SignatureAlgorithm algorithm) {
        var kind = algorithm.name().startsWith("ES")
                ? algorithm.name()
                : algorithm.name().substring(1, 2);
        return pairs.computeIfAbsent(kind, _ -> generate(algorithm));
    }

    /** With ES256, for a test that is not about algorithms. */
    public static TestTokens es256() {
        return signedWith(SignatureAlgorithm.ES256);
    }

    /** With a key that nobody else has. */
    public static TestTokens withNewKey(SignatureAlgorithm algorithm, String kid) {
        return new TestTokens(algorithm, generate(algorithm), kid);
    }

    /** An RSA key of a length of one's own. */
    static TestTokens withRsaKey(int bits, String kid) {
        try {
            var generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(bits);
            return new TestTokens(SignatureAlgorithm.RS256, generator.generateKeyPair(), kid);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyPair generate(SignatureAlgorithm algorithm) {
        try {
            return switch (algorithm) {
                case RS256, RS384, RS512, PS256, PS384, PS512 -> {
                    var generator = KeyPairGenerator.getInstance("RSA");
                    generator.initialize(2048);
                    yield generator.generateKeyPair();
                }
                case ES256 -> generateEc("secp256r1");
                case ES384 -> generateEc("secp384r1");
                case ES512 -> generateEc("secp521r1");
                case EDDSA -> KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
            };
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyPair generateEc(String curve) throws GeneralSecurityException {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec(curve));
        return generator.generateKeyPair();
    }

    public String kid() {
        return kid;
    }

    public SignatureAlgorithm algorithm() {
        return algorithm;
    }

    public PublicKey publicKey() {
        return keys.getPublic();
    }

    /** For signatures that no provider would make. */
    PrivateKey privateKey() {
        return keys.getPrivate();
    }

    /** The same key, used with another algorithm. */
    public TestTokens using(SignatureAlgorithm other) {
        return new TestTokens(other, keys, kid);
    }

    /** The same key under another name. */
    public TestTokens named(String otherKid) {
        return new TestTokens(algorithm, keys, otherKid);
    }

    /** The public key as a JWK, with kid, use and alg; modifiable. */
    public Map<String, Object> jwk() {
        var jwk = new LinkedHashMap<String, Object>();
        jwk.put("kid", kid);
        jwk.put("use", "sig");
        jwk.put("alg", algorithm.toString());
        switch (keys.getPublic()) {
            case RSAPublicKey rsa -> {
                jwk.put("kty", "RSA");
                jwk.put("n", base64Url(unsigned(rsa.getModulus())));
                jwk.put("e", base64Url(unsigned(rsa.getPublicExponent())));
            }
            case ECPublicKey ec -> {
                int bits = ec.getParams().getCurve().getField().getFieldSize();
                jwk.put("kty", "EC");
                jwk.put("crv", "P-" + bits);
                jwk.put("x", base64Url(fixed(ec.getW().getAffineX(), (bits + 7) / 8)));
                jwk.put("y", base64Url(fixed(ec.getW().getAffineY(), (bits + 7) / 8)));
            }
            case PublicKey ed -> {
                var encoded = ed.getEncoded();
                jwk.put("kty", "OKP");
                jwk.put("crv", "Ed25519");
                jwk.put("x", base64Url(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length)));
            }
        }
        return jwk;
    }

    /** A JWK Set document of these keys, in this order. */
    public static String jwkSet(TestTokens... keys) {
        return jwkSet(Arrays.stream(keys).map(TestTokens::jwk).toList());
    }

    /** A JWK Set document of whatever is put into it. */
    public static String jwkSet(List<?> jwks) {
        return json(Map.of("keys", jwks));
    }

    static String json(Object value) {
        return JSON.writeValueAsString(value);
    }

    /** A good token, to be made worse. */
    public Token token() {
        return new Token();
    }

    /** A good token, as it is presented. */
    public String issue() {
        return token().issue();
    }

    /** Signs whatever it is given, in the form of a compact JWS. */
    public String sign(String header, String payload) {
        return sign(header, payload.getBytes(StandardCharsets.UTF_8));
    }

    String sign(String header, byte[] payload) {
        var input = base64Url(header.getBytes(StandardCharsets.UTF_8)) + "." + base64Url(payload);
        return input + "." + base64Url(signature(input));
    }

    byte[] signature(String input) {
        try {
            var signature = signer();
            signature.initSign(keys.getPrivate());
            signature.update(input.getBytes(StandardCharsets.ISO_8859_1));
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private Signature signer() throws GeneralSecurityException {
        return switch (algorithm) {
            case RS256 -> Signature.getInstance("SHA256withRSA");
            case RS384 -> Signature.getInstance("SHA384withRSA");
            case RS512 -> Signature.getInstance("SHA512withRSA");
            case PS256 -> pss("SHA-256", 32);
            case PS384 -> pss("SHA-384", 48);
            case PS512 -> pss("SHA-512", 64);
            case ES256 -> Signature.getInstance("SHA256withECDSAinP1363Format");
            case ES384 -> Signature.getInstance("SHA384withECDSAinP1363Format");
            case ES512 -> Signature.getInstance("SHA512withECDSAinP1363Format");
            case EDDSA -> Signature.getInstance("Ed25519");
        };
    }

    private static Signature pss(String hash, int saltLength) throws GeneralSecurityException {
        var signature = Signature.getInstance("RSASSA-PSS");
        signature.setParameter(new PSSParameterSpec(
                hash, "MGF1", new MGF1ParameterSpec(hash), saltLength, PSSParameterSpec.TRAILER_FIELD_BC));
        return signature;
    }

    public static String base64Url(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    static String base64Url(String text) {
        return base64Url(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] unsigned(BigInteger value) {
        return fixed(value, (value.bitLength() + 7) / 8);
    }

    private static byte[] fixed(BigInteger value, int length) {
        var signed = value.toByteArray();
        var bytes = new byte[length];
        int significant = Math.min(signed.length, length);
        System.arraycopy(signed, signed.length - significant, bytes, length - significant, significant);
        return bytes;
    }

    /** One token in the making: of {@link #ISSUER} for {@link #AUDIENCE}, issued a minute before {@link FakeRequest#NOW}, for ten. */
    public final class Token {
        private final Map<String, @Nullable Object> header = new LinkedHashMap<>();
        private final Map<String, @Nullable Object> claims = new LinkedHashMap<>();

        private Token() {
            header.put("alg", algorithm.toString());
            header.put("typ", "at+jwt");
            header.put("kid", kid);
            claims.put("iss", ISSUER);
            claims.put("sub", SUBJECT);
            claims.put("aud", AUDIENCE);
            claims.put("client_id", "shop");
            claims.put("jti", "token-1");
            claims.put("scope", "orders:read orders:write");
            issuedAt(FakeRequest.NOW.minusSeconds(60)).livingFor(Duration.ofMinutes(10));
        }

        /** Sets a claim; null is JSON's null. */
        public Token claim(String name, @Nullable Object value) {
            claims.put(name, value);
            return this;
        }

        public Token without(String claim) {
            claims.remove(claim);
            return this;
        }

        public Token header(String name, @Nullable Object value) {
            header.put(name, value);
            return this;
        }

        public Token withoutHeader(String name) {
            header.remove(name);
            return this;
        }

        public Token issuer(String iss) {
            return claim("iss", iss);
        }

        public Token subject(String sub) {
            return claim("sub", sub);
        }

        public Token audience(Object aud) {
            return claim("aud", aud);
        }

        public Token type(String typ) {
            return header("typ", typ);
        }

        public Token scope(String scope) {
            return claim("scope", scope);
        }

        public Token issuedAt(Instant iat) {
            return claim("iat", iat.getEpochSecond());
        }

        /** Sets {@code exp} that long after {@code iat}. */
        public Token livingFor(Duration lifetime) {
            return claims.get("iat") instanceof Long iat ? claim("exp", iat + lifetime.toSeconds()) : this;
        }

        public Token expiresAt(Instant exp) {
            return claim("exp", exp.getEpochSecond());
        }

        public Token notBefore(Instant nbf) {
            return claim("nbf", nbf.getEpochSecond());
        }

        /** Signs it. */
        public String issue() {
            return sign(json(header), json(claims));
        }

        /** The token with a signature that is somebody else's. */
        public String forge() {
            return new TestTokens(algorithm, shared(FORGERS, algorithm), kid).sign(json(header), json(claims));
        }

        String headerJson() {
            return json(header);
        }

        String claimsJson() {
            return json(claims);
        }
    }
}
