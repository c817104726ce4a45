// SPDX-License-Identifier: Apache-2.0
/**
 * The adapter of {@link io.sallyport.workload.svid.SvidSource} for PEM files that something else renews. What it reads is checked
 * whole and published as one value, or not at all, on a thread of its own.
 *
 * <p>X509-SVID. Certificates are read with java-spiffe's types.
 */
@NullMarked
package io.sallyport.workload.files;

import org.jspecify.annotations.NullMarked;
