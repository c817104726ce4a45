// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

/**
 * How large the head of a request may be. Counted on the wire by {@code FramingGuard} and, for what comes over HTTP/2, by
 * {@link EdgeStage}; the codec behind them has to allow at least as much, or it answers first and without a record.
 *
 * @param maxRequestLine bytes of the request line without its CRLF; of the target alone on HTTP/2
 * @param maxHeaders bytes of all field lines with their line ends, those of the trailer section included
 * @param maxHeaderLines number of field lines, those of the trailer section included
 */
public record HeadLimits(int maxRequestLine, int maxHeaders, int maxHeaderLines) {
    /** More lines than any browser sends, and few enough that a head is cheap to walk. */
    public static final int DEFAULT_HEADER_LINES = 100;

    public HeadLimits {
        requirePositive("max-request-line", maxRequestLine);
        requirePositive("max-headers", maxHeaders);
        requirePositive("max-header-lines", maxHeaderLines);
    }

    public HeadLimits(int maxRequestLine, int maxHeaders) {
        this(maxRequestLine, maxHeaders, DEFAULT_HEADER_LINES);
    }

    private static void requirePositive(String name, int value) {
        if (value <= 0) {
            throw new IllegalArgumentException("%s: %d (expected: more than 0)".formatted(name, value));
        }
    }
}
