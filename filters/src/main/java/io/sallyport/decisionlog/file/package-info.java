// SPDX-License-Identifier: Apache-2.0
/** The sink that keeps decision records in a file on a bounded piece of disk, until a shipper has read them. */
@NullMarked
package io.sallyport.decisionlog.file;

import org.jspecify.annotations.NullMarked;
