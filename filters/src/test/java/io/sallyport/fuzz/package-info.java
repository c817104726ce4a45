// SPDX-License-Identifier: Apache-2.0
/**
 * What the fuzz targets share. A target is a class {@code XFuzzTest} in the package of what it attacks, with a public static
 * method {@code fuzzerTestOneInput(byte[])} that throws if a property does not hold: {@code make fuzz} calls it under Jazzer, the
 * ordinary build with the kept corpus and mutations of it that are the same each time.
 */
@NullMarked
package io.sallyport.fuzz;

import org.jspecify.annotations.NullMarked;
