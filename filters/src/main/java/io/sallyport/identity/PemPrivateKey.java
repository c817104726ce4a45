// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads a private key in each form that PEM files have one in: PKCS #8 (RFC 5958), PKCS #1 (RFC 8017) and SEC 1 (RFC 5915); RSA, EC and
 * Ed25519. The messages of its exceptions quote nothing of the key.
 */
final class PemPrivateKey {
    private static final String EXPECTED =
            "a PEM file with a private key that is not encrypted: PKCS #8, PKCS #1 or SEC 1; RSA, EC or Ed25519";

    // Reluctant, and not without dashes: the headers of an encrypted key have some.
    private static final Pattern SECTION =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);

    private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA");

    /** INTEGER 0. */
    private static final byte[] VERSION = HexFormat.of().parseHex("020100");
    /** rsaEncryption with its NULL. */
    private static final byte[] RSA = HexFormat.of().parseHex("300d06092a864886f70d0101010500");
    /** id-ecPublicKey; the curve follows. */
    private static final byte[] EC = HexFormat.of().parseHex("06072a8648ce3d0201");
    /** The tag of the curve in an ECPrivateKey. */
    private static final int CURVE = 0xa0;

    private PemPrivateKey() {}

    /**
     * Reads the first private key of a file.
     *
     * @param owner the public key that it should belong to: a SEC 1 key may leave the curve to it
     */
    static PrivateKey parse(String pem, PublicKey owner) throws UnusableKeyPair {
        byte[] curve = null;
        var section = SECTION.matcher(pem);
        while (section.find()) {
            var label = section.group(1);
            var body = section.group(2);
            if (label.equals("EC PARAMETERS")) {
                curve = decoded(body);
            } else if (label.endsWith("PRIVATE KEY")) {
                if (label.startsWith("ENCRYPTED") || body.contains("ENCRYPTED")) {
                    throw UnusableKeyPair.key("an encrypted key", EXPECTED);
                }
                return read(label, decoded(body), curve, owner);
            }
        }
        throw UnusableKeyPair.key("no private key in it", EXPECTED);
    }

    private static byte[] decoded(String body) throws UnusableKeyPair {
        try {
            return Base64.getMimeDecoder().decode(body);
        } catch (IllegalArgumentException _) {
            throw UnusableKeyPair.key("no base64 in it", EXPECTED);
        }
    }

    private static PrivateKey read(String label, byte[] der, byte @Nullable [] curve, PublicKey owner)
            throws UnusableKeyPair {
        try {
            return switch (label) {
                case "PRIVATE KEY" -> ofAnyAlgorithm(der);
                case "RSA PRIVATE KEY" -> of("RSA", RSA, der);
                case "EC PRIVATE KEY" -> of("EC", algorithmOf(der, curve, owner), der);
                default -> throw UnusableKeyPair.key("%s in it".formatted(label), EXPECTED);
            };
        } catch (UnusableKeyPair e) {
            throw e;
        } catch (GeneralSecurityException _) {
            throw UnusableKeyPair.key("a private key that cannot be read", EXPECTED);
        }
    }

    private static PrivateKey ofAnyAlgorithm(byte[] pkcs8) throws GeneralSecurityException {
        var encoded = new PKCS8EncodedKeySpec(pkcs8);
        for (var algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
            } catch (InvalidKeySpecException _) {
                // Of another algorithm, or of none of them.
            }
        }
        throw new InvalidKeySpecException("neither RSA nor EC nor Ed25519");
    }

    private static PrivateKey of(String algorithm, byte[] identifier, byte[] key) throws GeneralSecurityException {
        var pkcs8 = Der.sequence(VERSION, identifier, Der.element(Der.OCTET_STRING, key));
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    }

    /** With the curve that the key itself names, else the section before it, else its owner. */
    private static byte[] algorithmOf(byte[] sec1, byte @Nullable [] curve, PublicKey owner)
            throws InvalidKeySpecException {
        var key = Der.inSequence(sec1);
        for (var element = key.next(); element != null; element = key.next()) {
            if ((element[0] & 0xff) == CURVE) {
                return Der.sequence(EC, Der.contentOf(element));
            }
        }
        if (curve != null) {
            return Der.sequence(EC, curve);
        }
        var identifier = Der.inSequence(owner.getEncoded()).next();
        if (identifier == null || !owner.getAlgorithm().equals("EC")) {
            throw new InvalidKeySpecException("no curve");
        }
        return identifier;
    }
}
