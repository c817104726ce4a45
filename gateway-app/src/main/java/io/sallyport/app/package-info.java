// SPDX-License-Identifier: Apache-2.0
/** The runnable gateway: the main class and its commands. Everything that decides about a request is in {@code filters}. */
@NullMarked
package io.sallyport.app;

import org.jspecify.annotations.NullMarked;
