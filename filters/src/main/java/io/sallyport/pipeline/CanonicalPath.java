// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

/**
 * The one reading of the request's path: matched, authorized, logged and forwarded in exactly this form. Only {@code edge}
 * makes one of what a client sent.
 *
 * @param value absolute, percent-encoded, without dot segments, empty segments, parameters or query
 */
public record CanonicalPath(String value) {
    public CanonicalPath {
        if (value.isEmpty() || value.charAt(0) != '/') {
            throw new IllegalArgumentException("canonical path: %s (expected: a leading slash)".formatted(value));
        }
    }
}
