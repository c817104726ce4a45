// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit.store;

import io.sallyport.config.InvalidSetting;
import io.sallyport.identity.ClaimPath;
import org.jspecify.annotations.Nullable;

/**
 * What a limit is counted by: {@code subject}, {@code client}, {@code address}, {@code route} or {@code claim:<path>}.
 *
 * <p>What a caller does not have is replaced by the next narrower thing that it has: a token without a client is counted by its
 * subject, an anonymous caller by its address. Without the claim that a limit counts by a caller is refused, or counted by its address
 * ({@link IfAbsent}). So no caller escapes a limit by leaving something out, and none is counted together with everybody else who did.
 */
public sealed interface LimitKey {
    /** What a claim's path is written after. */
    String CLAIM = "claim:";

    /** The kinds that are written as one word. */
    enum Word implements LimitKey {
        /** Issuer and subject of the token, or the workload's SPIFFE ID. */
        SUBJECT,
        /** Issuer and client of the token, or the workload's SPIFFE ID. */
        CLIENT,
        /** The client's IPv4 address or IPv6 /64. */
        ADDRESS,
        /** All callers of the route together. */
        ROUTE
    }

    /** Issuer and value of a claim: a tenant's limit, shared by all its users. Of a list the set of its values. */
    record Claim(ClaimPath path) implements LimitKey {
        /** As it is written. */
        @Override
        public String toString() {
            return CLAIM + path;
        }
    }

    private static @Nullable Word word(String text) {
        return switch (text) {
            case "subject" -> Word.SUBJECT;
            case "client" -> Word.CLIENT;
            case "address" -> Word.ADDRESS;
            case "route" -> Word.ROUTE;
            default -> null;
        };
    }

    /**
     * Reads one of the words, or {@code claim:} and a path.
     *
     * @throws InvalidSetting if it is neither
     */
    static LimitKey parse(String text) {
        var word = word(text);
        if (word != null) {
            return word;
        }
        if (text.startsWith(CLAIM)) {
            try {
                return new Claim(ClaimPath.parse(text.substring(CLAIM.length())));
            } catch (IllegalArgumentException _) {
                // Told below, like any other text that is no key.
            }
        }
        throw new InvalidSetting("", text, "subject, client, address, route or claim:<path>");
    }
}
