// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.issuer;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;

/** {@code issuers.<name>.introspection}: where the issuer is asked about tokens that only it can read (RFC 7662). */
public record IntrospectionConfig(
        @Setting("The issuer's introspection endpoint, an https URL.")
        URI uri,

        @Setting("The client that the gateway is there.") String clientId,

        @Setting(
                "A file with that client's secret, without more than a line break after it. Read again for each question, so that a "
                        + "renewed secret needs no reload.")
        Path clientSecretFile,

        @Setting(
                value = "How long one question may take, and so how long a request may wait; 100ms to 10s.",
                byDefault = "2s")
        Duration timeout,

        @Setting(
                value =
                        "How long the issuer's word that a token is active holds, and so how long a token that it has revoked may "
                                + "still be used; 0s to 10m, and never beyond the token's exp.",
                byDefault = "60s")
        Duration cache,

        @Setting(
                value = "How many questions may be under way at once, 1 to 10000; who comes beyond gets 503.",
                byDefault = "64")
        int maxConcurrent) {

    public IntrospectionConfig {
        if (clientId.isEmpty()) {
            throw new InvalidSetting("client-id", clientId, "the gateway's client id at the issuer");
        }
        requireRange("timeout", timeout, Duration.ofMillis(100), Duration.ofSeconds(10), "100ms to 10s");
        requireRange("cache", cache, Duration.ZERO, Duration.ofMinutes(10), "0s to 10m");
        if (maxConcurrent < 1 || maxConcurrent > 10_000) {
            throw new InvalidSetting("max-concurrent", maxConcurrent, "1 to 10000");
        }
    }

    private static void requireRange(String key, Duration value, Duration least, Duration most, String expected) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new InvalidSetting(key, value, expected);
        }
    }
}
