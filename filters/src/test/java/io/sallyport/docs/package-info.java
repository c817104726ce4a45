// SPDX-License-Identifier: Apache-2.0
/** Pages of {@code docs/} that are generated from the code, and tests that fail when a page and the code differ. */
@NullMarked
package io.sallyport.docs;

import org.jspecify.annotations.NullMarked;
