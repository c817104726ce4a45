// SPDX-License-Identifier: Apache-2.0
/**
 * Where the keys of JWT-SVIDs come from: pushed by the Workload API into memory, one JWK Set for each trust domain. Requests read
 * {@link io.sallyport.authenticate.keys.JwkSetSource#current} and never wait here: what the agent has not pushed yet cannot be asked for.
 *
 * <p>SPIFFE Workload API section 6.2.2, JWT-SVID section 6.
 */
@NullMarked
package io.sallyport.authenticate.spiffe;

import org.jspecify.annotations.NullMarked;
