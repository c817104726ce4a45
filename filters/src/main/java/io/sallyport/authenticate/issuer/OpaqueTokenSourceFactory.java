// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.issuer;

import io.sallyport.authenticate.token.OpaqueTokenSource;
import io.sallyport.config.Findings;
import org.jspecify.annotations.Nullable;

/** Makes the source of what an issuer says about its opaque tokens. */
@FunctionalInterface
public interface OpaqueTokenSourceFactory {
    /**
     * The source for an issuer with {@code introspection}, of a configuration that is being compiled. Does no network I/O.
     *
     * @param at the issuer's section
     * @return null, with findings added, if there can be none
     */
    @Nullable
    OpaqueTokenSource source(String issuerName, IssuerConfig config, Findings.Place at);
}
