// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.config.Finding;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.identity.ExpectedId;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Section {@code management.scrape}: who reads the metrics without a token of the issuer, whose keys the metrics report on. */
public record ScrapeConfig(
        @Setting(
                "A file with the token that a scraper sends as Authorization: Bearer: one line of 32 to 4096 characters. Read again when it"
                        + " changes.")
        @Nullable
        Path tokenFile,

        @Setting(
                "PEM file of the certificate authorities of scrapers that show a client certificate; client-names says which of them.")
        @Nullable
        Path clientCa,

        @Setting(
                value = "DNS names, one of which such a certificate has to carry; required with client-ca.",
                byDefault = "[]")
        List<String> clientNames,

        @Setting(
                value =
                        "The SPIFFE IDs of scrapers that show their X509-SVID; a whole path segment may be *. Needs identity.",
                byDefault = "[]")
        List<ExpectedId> clientSpiffeIds) {

    public ScrapeConfig {
        clientNames = List.copyOf(clientNames);
        clientSpiffeIds = List.copyOf(clientSpiffeIds);
        if (tokenFile == null && clientCa == null && clientSpiffeIds.isEmpty()) {
            throw new InvalidSetting("", Finding.ABSENT, "token-file, client-ca or client-spiffe-ids");
        }
        if (clientCa != null && clientNames.isEmpty()) {
            throw new InvalidSetting("client-names", "[]", "at least one name, because client-ca is there");
        }
        if (clientCa == null && !clientNames.isEmpty()) {
            throw new InvalidSetting("client-names", clientNames, "nothing, because client-ca is not there");
        }
        if (new HashSet<>(clientSpiffeIds).size() != clientSpiffeIds.size()) {
            throw new InvalidSetting("client-spiffe-ids", clientSpiffeIds, "each once");
        }
    }

    /** Whether a scraper may show a certificate. */
    boolean asksForCertificates() {
        return clientCa != null || !clientSpiffeIds.isEmpty();
    }
}
