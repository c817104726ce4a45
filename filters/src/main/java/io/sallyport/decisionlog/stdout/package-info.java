// SPDX-License-Identifier: Apache-2.0
/** The sink that writes decision records to standard output. */
@NullMarked
package io.sallyport.decisionlog.stdout;

import org.jspecify.annotations.NullMarked;
