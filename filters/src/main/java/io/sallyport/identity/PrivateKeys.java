// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.regex.Pattern;

/** Reads private keys from PEM files: PKCS #8, not encrypted, of RSA, an elliptic curve or Ed25519. */
public final class PrivateKeys {
    private static final Pattern SECTION =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]*)-----END PRIVATE KEY-----");
    private static final String[] ALGORITHMS = {"EC", "RSA", "Ed25519"};

    private PrivateKeys() {}

    /**
     * Reads the first key of a file. Blocks.
     *
     * @throws InvalidKeySpecException if there is none that can be read
     */
    public static PrivateKey read(Path file) throws IOException, GeneralSecurityException {
        var section = SECTION.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
        if (!section.find()) {
            throw new InvalidKeySpecException("there is no PKCS #8 private key in " + file);
        }
        var encoded = new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(section.group(1)));
        for (var algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
            } catch (InvalidKeySpecException _) {
                // of another kind
            }
        }
        throw new InvalidKeySpecException("the key in %s is of no kind that can be used".formatted(file));
    }
}
