// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import org.springframework.util.unit.DataSize;

/**
 * How long the body of a request may be. Hangs on a route under {@code EDGE}: {@link EdgeStage} compares it with {@code
 * Content-Length}, and whoever streams the body counts it against the same.
 *
 * @param bytes 0 or more
 */
public record BodyLimit(long bytes) {
    public BodyLimit {
        if (bytes < 0) {
            throw new IllegalArgumentException("body limit: %d (expected: 0 or more)".formatted(bytes));
        }
    }

    /** The limit of a {@code max-body}. */
    public static BodyLimit of(DataSize size) {
        return new BodyLimit(size.toBytes());
    }
}
