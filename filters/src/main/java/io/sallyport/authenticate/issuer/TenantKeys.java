// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.issuer;

import io.sallyport.authenticate.keys.JwkSetSource;

/** The key sets of an issuer's tenants that nobody has listed, made when the first token of one comes. Safe for use by any thread. */
@FunctionalInterface
public interface TenantKeys {
    /**
     * The source of that tenant's keys. A new one begins to fetch at once. How many there are is bounded, and so is how fast they are
     * made: who comes beyond gets a source that has no keys and is unavailable.
     *
     * @param config the issuer's section for that tenant alone
     */
    JwkSetSource of(String tenant, IssuerConfig config);
}
