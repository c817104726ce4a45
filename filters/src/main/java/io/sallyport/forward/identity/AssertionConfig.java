// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Section {@code upstream.identity.assertion}: a signed token about the caller, in {@code X-Sallyport-Assertion}. */
public record AssertionConfig(
        @Setting(
                "The aud of the assertion. Without it the upstream's expected-ids, or the name of tls; required where these have a * or"
                        + " there is neither.")
        @Nullable
        String audience,

        @Setting(
                value = "Names of claims that are copied from the caller's token, as far as it has them.",
                byDefault = "[]")
        List<String> claims,

        @Setting(value = "How long an assertion is valid, 5s to 5m.", byDefault = "60s")
        Duration lifetime) {
    /** What an assertion says itself. */
    private static final List<String> OWN =
            List.of("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "route", "origin_iss");

    public AssertionConfig {
        claims = List.copyOf(claims);
        for (var claim : claims) {
            if (OWN.contains(claim)) {
                throw new InvalidSetting("claims", claim, "another claim: the assertion has its own " + claim);
            }
        }
        if (lifetime.compareTo(Duration.ofSeconds(5)) < 0 || lifetime.compareTo(Duration.ofMinutes(5)) > 0) {
            throw new InvalidSetting("lifetime", lifetime, "5s to 5m");
        }
    }
}
