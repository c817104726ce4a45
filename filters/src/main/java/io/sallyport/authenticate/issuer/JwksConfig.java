// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.issuer;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** {@code issuers.<name>.jwks}: when an issuer's key set is fetched, and how long the last good one serves. */
public record JwksConfig(
        @Setting(
                value =
                        "The key set is fetched again after 80 % of this, or of the answer's max-age if that is shorter; "
                                + "1s to 24h.",
                byDefault = "5m")
        Duration refresh,

        @Setting(
                value =
                        "How long the last good key set serves while fetching fails; then tokens of this issuer get 503. "
                                + "At least refresh, at most 30d.",
                byDefault = "24h")
        Duration maxStale,

        @Setting(
                value = "The least time between two fetches that tokens with an unknown key may cause, 1s to 1h.",
                byDefault = "30s")
        Duration coolDown,

        @Setting(
                value = "How long one fetch may take, discovery included, and so how long a request may wait for one; "
                        + "100ms to 30s.",
                byDefault = "3s")
        Duration timeout,

        @Setting(
                value =
                        "Whether the issuer's endpoints are on the internet: an answer of DNS that leads to this machine or to a "
                                + "private network is then refused. Link-local addresses and those of metadata services always are.",
                byDefault = "false")
        boolean publicOnly,

        @Setting(
                value =
                        "Takes the key set and discovery whatever content type they are sent with, for example from a plain file "
                                + "server. They are read as JSON all the same.",
                byDefault = "false")
        boolean anyContentType,

        @Setting(
                "A file with a bearer token, sent with each fetch of discovery and keys, for issuers that show their keys to "
                        + "known clients alone, such as a Kubernetes API server. Read again for each fetch. Not with "
                        + "insecure-plaintext.")
        @Nullable
        Path bearerTokenFile) {

    /** What is written when nothing is. */
    public static final JwksConfig DEFAULT = new JwksConfig(
            Duration.ofMinutes(5),
            Duration.ofHours(24),
            Duration.ofSeconds(30),
            Duration.ofSeconds(3),
            false,
            false,
            null);

    public JwksConfig {
        require("refresh", refresh, Duration.ofSeconds(1), Duration.ofHours(24), "1s to 24h");
        require("max-stale", maxStale, refresh, Duration.ofDays(30), "at least refresh (" + refresh + "), at most 30d");
        require("cool-down", coolDown, Duration.ofSeconds(1), Duration.ofHours(1), "1s to 1h");
        require("timeout", timeout, Duration.ofMillis(100), Duration.ofSeconds(30), "100ms to 30s");
    }

    private static void require(String key, Duration value, Duration least, Duration most, String expected) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new InvalidSetting(key, value, expected);
        }
    }
}
