// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Names one claim of a token, as an operator writes it: {@code tenant_id}, or {@code realm_access.plan} for a member of an
 * object. A claim whose own name is the whole path, dots included ({@code https://example.org/tenant}), comes first.
 */
public final class ClaimPath {
    private static final int MAX_LENGTH = 256;

    private final String path;
    private final String[] segments;

    private ClaimPath(String path) {
        this.path = path;
        this.segments = path.split("\\.", -1);
    }

    /**
     * Reads a path of 1 to 256 characters without spaces and control characters.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    public static ClaimPath parse(String path) {
        if (path.isEmpty() || path.length() > MAX_LENGTH || !path.chars().allMatch(c -> c > 0x20 && c != 0x7f)) {
            throw new IllegalArgumentException(
                    "claim path: %s (expected: 1 to 256 characters without spaces)".formatted(path));
        }
        return new ClaimPath(path);
    }

    /** The claim's value, or null if the token has none. */
    public @Nullable Object in(Map<String, Object> claims) {
        var whole = claims.get(path);
        if (whole != null || segments.length == 1) {
            return whole;
        }
        Object value = claims;
        for (var segment : segments) {
            if (!(value instanceof Map<?, ?> members)) {
                return null;
            }
            value = members.get(segment);
            if (value == null) {
                return null;
            }
        }
        return value;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ClaimPath that && path.equals(that.path);
    }

    @Override
    public int hashCode() {
        return path.hashCode();
    }

    @Override
    public String toString() {
        return path;
    }
}
