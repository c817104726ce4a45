// SPDX-License-Identifier: Apache-2.0
/**
 * Who was refused what, and why? Leaves one line of evidence for each refusal, would-be refusal and failure, in every sink.
 *
 * <p>Reads the request's facts once, on its event loop, when its outcome is known. Each sink formats and writes on a thread of its
 * own, behind a queue of its own. The package sets nothing, gives no reasons and decides nothing. It never blocks a request: what
 * cannot be kept one by one is counted, and what cannot be written at all is counted too, shown in health, and alerted on.
 *
 * <p>{@code sink} is the port; {@code file} and {@code stdout} implement it and do not know this package.
 *
 * <p>Subjects appear as pseudonyms. Tokens, header values and queries do not appear.
 *
 * <p>Elastic Common Schema for the fields, RFC 8259 for the line.
 */
@NullMarked
package io.sallyport.decisionlog;

import org.jspecify.annotations.NullMarked;
