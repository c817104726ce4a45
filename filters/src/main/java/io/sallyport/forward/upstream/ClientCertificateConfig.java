// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the gateway shows an upstream that is verified by name: a word, or the files of a certificate.
 *
 * @param certificate null if the file has a word
 * @param key likewise
 */
public record ClientCertificateConfig(
        @Setting(
                value = "A PEM file with the certificate chain that the upstream sees, the leaf first.",
                required = true)
        @Nullable
        Path certificate,

        @Setting(
                value = "A PEM file with the leaf's private key, not encrypted: PKCS #8, PKCS #1 or SEC 1.",
                required = true)
        @Nullable
        Path key) {
    /** Nothing. */
    public static final ClientCertificateConfig NONE = new ClientCertificateConfig(null, null);

    /** The gateway's own X509-SVID. Told from {@link #NONE} by being this very instance. */
    public static final ClientCertificateConfig SVID = new ClientCertificateConfig(null, null);

    /** Reads one of the words. */
    public static ClientCertificateConfig parse(String word) {
        return switch (word) {
            case "none" -> NONE;
            case "svid" -> SVID;
            default -> throw new InvalidSetting("", word, "none, svid, or a section with certificate and key");
        };
    }

    @SuppressWarnings("ReferenceEquality") // only the word `svid` brings this instance
    boolean isSvid() {
        return this == SVID;
    }
}
