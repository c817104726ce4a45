// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.pipeline.Snapshot;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One configuration as it is compiled, with what is needed of it beside the request path.
 *
 * @param snapshot what requests are judged by
 * @param issuers by name; their keys stay current by themselves
 * @param management what tokens of the management port are judged by; null if it accepts none
 * @param routes what became of each section {@code routes.<name>}, for the next configuration to take over
 */
public record CompiledConfiguration(
        Configuration configuration,
        Snapshot snapshot,
        Map<String, Issuer> issuers,
        @Nullable Snapshot management,
        CompiledRoutes routes) {
    public CompiledConfiguration {
        // In their order, for the findings of the next configuration list them if it takes them over.
        issuers = Collections.unmodifiableMap(new LinkedHashMap<>(issuers));
    }

    public GatewaySettings settings() {
        return configuration.settings();
    }

    /** The longest that a token of that {@code iss} is accepted after its {@code iat}, or null if there is no such issuer. */
    public @Nullable Duration longestLifetime(String iss) {
        for (var issuer : settings().issuers().values()) {
            if (issuer.isNamed(iss)) {
                return issuer.maxTokenLifetime()
                        .plus(settings().stages().authenticate().clockSkew());
            }
        }
        return null;
    }
}
