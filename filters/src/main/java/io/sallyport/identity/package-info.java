// SPDX-License-Identifier: Apache-2.0
/**
 * Who a verified caller is. {@link io.sallyport.identity.Principal} is sealed: nothing unverified ever becomes one. SPIFFE IDs
 * and trust domains are java-spiffe's own types; {@link io.sallyport.identity.TrustBundles} judge X509-SVIDs, whichever side shows
 * them.
 */
@NullMarked
package io.sallyport.identity;

import org.jspecify.annotations.NullMarked;
