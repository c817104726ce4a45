// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;

/**
 * A certificate with the key that it is for.
 *
 * @param chain leaf first, without the root
 */
public record Credentials(PrivateKey key, List<X509Certificate> chain) {
    public Credentials {
        chain = List.copyOf(chain);
    }

    public X509Certificate leaf() {
        return chain.getFirst();
    }

    /** Writes both as PEM: the chain, and the key as PKCS #8. The directory is what keeps the key from others. */
    public void writeTo(Path chainFile, Path keyFile) throws IOException {
        Files.writeString(chainFile, pem(chain));
        Files.writeString(keyFile, pem("PRIVATE KEY", key.getEncoded()));
    }

    public static String pem(List<X509Certificate> certificates) {
        var text = new StringBuilder();
        for (var certificate : certificates) {
            text.append(pem("CERTIFICATE", der(certificate)));
        }
        return text.toString();
    }

    static byte[] der(X509Certificate certificate) {
        try {
            return certificate.getEncoded();
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException("a certificate that was just made has no encoding", e);
        }
    }

    private static String pem(String label, byte[] der) {
        var base64 = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(der);
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(label, base64, label);
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "Credentials[" + leaf().getSubjectX500Principal() + "]";
    }
}
