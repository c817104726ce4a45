// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.config.Setting;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Section {@code tls} of an upstream that has no SPIFFE ID: which authority vouches for it, and for which DNS name. */
public record UpstreamTlsConfig(
        @Setting(
                "A PEM file with the authorities that may vouch for the upstream, read again when it changes; or the word"
                        + " system for those of the Java runtime.")
        CaSource ca,

        @Setting(
                "The DNS name that the upstream's certificate must have (subjectAltName). Also the SNI. Without it the host of uri;"
                        + " required where that is an address.")
        @Nullable
        String serverName,

        @Setting(value = "Whether a certificate for *.example.org is good for orders.example.org.", byDefault = "false")
        boolean wildcard,

        @Setting(
                value =
                        "The public keys that the certificate may have: sha256/ and the base64 of the key's SHA-256 (RFC 7469 section"
                                + " 2.4). Without it any.",
                byDefault = "[]")
        List<SpkiPin> spki,

        @Setting(
                value =
                        "What the gateway shows the upstream: none, svid for its own X509-SVID, or a section with certificate and key,"
                                + " two files that are read again when they change.",
                byDefault = "none")
        ClientCertificateConfig clientCertificate) {
    public UpstreamTlsConfig {
        spki = List.copyOf(spki);
    }
}
