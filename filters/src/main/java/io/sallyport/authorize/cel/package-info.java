// SPDX-License-Identifier: Apache-2.0
/**
 * Rules in the file: named expressions of the Common Expression Language, type-checked and bounded in cost when the
 * configuration is loaded, evaluated from memory.
 *
 * <p>Reads, and only as far as a rule names it: {@code request}, {@code path}, {@code token}, {@code principal}, {@code client},
 * {@code risk}, {@code now}. What a request does not have, a claim above all, is an error of the rule that reads it and not an
 * empty value: under {@code allow} such a rule has not matched, under {@code deny} it has.
 *
 * <p>Common Expression Language specification, library dev.cel.
 */
@NullMarked
package io.sallyport.authorize.cel;

import org.jspecify.annotations.NullMarked;
