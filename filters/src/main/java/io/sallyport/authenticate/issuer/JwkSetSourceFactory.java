// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.issuer;

import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.authenticate.keys.NoKeys;
import io.sallyport.config.Findings;
import org.jspecify.annotations.Nullable;

/** Makes the source of an issuer's key set, or finds the one that the issuer has. */
@FunctionalInterface
public interface JwkSetSourceFactory {
    /**
     * The source for an issuer of a configuration that is being compiled. Does no network I/O: the configuration may turn out
     * to be wrong elsewhere, or may only be checked.
     *
     * @param at the issuer's section
     * @return null, with findings added, if there can be none
     */
    @Nullable
    JwkSetSource source(String issuerName, IssuerConfig config, Findings.Place at);

    /**
     * The sources for the tenants of an issuer that admits every one. Does no network I/O by itself.
     *
     * @return null, with findings added, if there can be none
     */
    default @Nullable TenantKeys ofAnyTenant(String issuerName, IssuerConfig config, Findings.Place at) {
        return (_, _) -> NoKeys.NO_KEYS;
    }
}
