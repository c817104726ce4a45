// SPDX-License-Identifier: Apache-2.0
package io.sallyport.files;

import java.nio.file.Path;
import java.time.Instant;

/**
 * A watched file that cannot be read now, for health.
 *
 * @param cause for an operator: {@code there is no such file}
 * @param since when the watch first saw that
 */
public record UnreadableFile(Path file, String cause, Instant since) {}
