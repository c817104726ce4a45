// SPDX-License-Identifier: Apache-2.0
/**
 * Where limits are counted: the port {@link io.sallyport.ratelimit.store.LimitStore}, the values that it speaks of, and the store in memory. A
 * store outside this process is a package beside this one.
 */
@NullMarked
package io.sallyport.ratelimit.store;

import org.jspecify.annotations.NullMarked;
