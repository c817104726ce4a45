// SPDX-License-Identifier: Apache-2.0
/**
 * Adapters of {@link io.sallyport.forward.svid.SvidSource}: the SPIFFE Workload API over a Unix socket, and PEM files. All I/O
 * happens on threads of their own; what they receive is checked whole and published as one value, or not at all.
 *
 * <p>SPIFFE Workload API and Workload Endpoint; X509-SVID. Messages and certificates are read with java-spiffe's types.
 */
@NullMarked
package io.sallyport.forward.spiffe;

import org.jspecify.annotations.NullMarked;
