// SPDX-License-Identifier: Apache-2.0
/** What the code as a whole has to be, beyond what the compiler checks. */
@NullMarked
package io.sallyport.architecture;

import org.jspecify.annotations.NullMarked;
