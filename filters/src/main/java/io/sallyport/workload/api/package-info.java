// SPDX-License-Identifier: Apache-2.0
/**
 * The SPIFFE Workload API over a Unix socket: one kind of stream for all who have something to ask there, and the adapter of {@link
 * io.sallyport.workload.svid.SvidSource} that reads the gateway's own SVID and the X.509 bundles from it. The JWT bundles are read
 * by {@code authenticate.spiffe}. The only place that knows the API's sockets, its security header, and what to do when the agent
 * is away.
 *
 * <p>SPIFFE Workload Endpoint and Workload API; X509-SVID. Messages and certificates are read with java-spiffe's types.
 */
@NullMarked
package io.sallyport.workload.api;

import org.jspecify.annotations.NullMarked;
