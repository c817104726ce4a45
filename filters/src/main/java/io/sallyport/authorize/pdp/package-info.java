// SPDX-License-Identifier: Apache-2.0
/**
 * The port {@link io.sallyport.authorize.pdp.PolicyDecisionPoint}, and the {@link io.sallyport.authorize.pdp.Decision} that it
 * answers with. In memory, without I/O; the adapters that decide are beside this package.
 *
 * <p>The word PDP is that of XACML and NIST SP 800-207.
 */
@NullMarked
package io.sallyport.authorize.pdp;

import org.jspecify.annotations.NullMarked;
