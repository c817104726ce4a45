// SPDX-License-Identifier: Apache-2.0
/**
 * How tokens and keys are written down, read in one way only: JSON, base64url, media types, and the names of algorithms. In
 * memory, without I/O, and without an exception for any hostile input.
 *
 * <p>RFC 7515, 7517, 7518 and 8037 (JOSE), RFC 7493 (I-JSON).
 */
@NullMarked
package io.sallyport.authenticate.jose;

import org.jspecify.annotations.NullMarked;
