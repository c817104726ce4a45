// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

/**
 * The name of a rate-limit policy as the operator wrote it, and as it appears in the {@code RateLimit-Policy} field.
 *
 * @param value 1 to 64 characters of {@code [a-z0-9-]}
 */
public record PolicyName(String value) {
    public PolicyName {
        if (value.isEmpty() || value.length() > 64 || !value.chars().allMatch(PolicyName::isNameCharacter)) {
            throw new IllegalArgumentException(
                    "rate limit name: %s (expected: 1 to 64 characters of a-z, 0-9 and dash)".formatted(value));
        }
    }

    private static boolean isNameCharacter(int character) {
        return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') || character == '-';
    }
}
