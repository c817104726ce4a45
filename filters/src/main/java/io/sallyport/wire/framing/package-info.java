// SPDX-License-Identifier: Apache-2.0
/**
 * Are these bytes one message, the same to everybody who reads them, and in time? Guards stand between TLS and the codecs, and
 * pass on unchanged what they do not refuse.
 *
 * <p>Reasons: those of {@code edge} for bytes that are not one message ({@code edge.framing_ambiguous} above all), for what HTTP/2
 * forbids, and for a head that comes in too late. After a refusal nothing more of the connection is read.
 *
 * <p>RFC 9112 section 6 (message body length), RFC 9113 (HTTP/2).
 */
@NullMarked
package io.sallyport.wire.framing;

import org.jspecify.annotations.NullMarked;
