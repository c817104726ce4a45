// SPDX-License-Identifier: Apache-2.0
/** A peer to measure beside, not a part of Sallyport. */
@NullMarked
package io.sallyport.perf.stock;

import org.jspecify.annotations.NullMarked;
