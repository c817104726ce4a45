// SPDX-License-Identifier: Apache-2.0
/**
 * Keeps the deny-list over a restart: an append-only file of JSON lines, forced to disk before a change is acknowledged, read back before
 * the gateway is ready. The only part of {@code revocation} that does I/O; it has a thread of its own for it.
 *
 * <p>One line is one write: {@code {"v":1,"c":"<CRC-32C of the list, 8 hex digits>","e":[...]}}. So a crash can tear the last line only,
 * which nobody was told of, and it is dropped. Anything wrong before it is damage: entries may be missing that somebody was told of, so
 * the list stays incomplete, the gateway not ready, and the file as it is.
 */
@NullMarked
package io.sallyport.revocation.journal;

import org.jspecify.annotations.NullMarked;
