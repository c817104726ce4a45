// SPDX-License-Identifier: Apache-2.0
/**
 * Is this request unambiguous, and which route does it name? Refuses what two readers could understand differently, removes
 * what a client must not be able to say, and reads host, method and path once for everybody after it.
 */
@NullMarked
package io.sallyport.edge;

import org.jspecify.annotations.NullMarked;
