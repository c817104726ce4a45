// SPDX-License-Identifier: Apache-2.0
/**
 * The way to the SPIFFE Workload API, for everybody who has something to ask there: the gateway's own SVID and the X.509 bundles
 * ({@code forward.spiffe}), the JWT bundles ({@code authenticate.spiffe}). The only place that knows its sockets, its security
 * header, and what to do when the agent is away.
 *
 * <p>SPIFFE Workload Endpoint and Workload API.
 */
@NullMarked
package io.sallyport.identity.workloadapi;

import org.jspecify.annotations.NullMarked;
