// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.forward.identity.CallerTokens;
import io.sallyport.forward.identity.IdentityFields;
import io.sallyport.identity.IdentityHeaders;
import org.jspecify.annotations.Nullable;

/**
 * What a route tells its upstream of the caller, and of the way on which the request came.
 *
 * @param removed the headers that neither a client nor a filter may write on this route
 * @param forwardedHost for {@code X-Forwarded-Host}: the host, with the port that clients use
 * @param literalPrefix the literal beginning of the route's path: what of it a filter strips is {@code X-Forwarded-Prefix}
 * @param identity who called, in header fields; null to say nothing
 * @param tokens who called, in signed tokens; null for none
 * @param openCredentials whether the credentials of an anonymous caller, as {@code authenticate} has left them, reach the upstream
 */
public record Disclosure(
        IdentityHeaders removed,
        String forwardedHost,
        String literalPrefix,
        @Nullable IdentityFields identity,
        @Nullable CallerTokens tokens,
        boolean openCredentials) {

    /** That of a route which says nothing of it. */
    public static Disclosure of(String forwardedHost) {
        return new Disclosure(IdentityHeaders.STANDARD, forwardedHost, "", null, null, false);
    }

    /** Whether the upstream is told who called. */
    boolean tells() {
        return identity != null || tokens != null;
    }

    /**
     * What of the route's literal prefix a filter has stripped from a path.
     *
     * @param path the one that was authorized
     * @param forwarded the one that is sent
     * @return null if that is nothing, or not a whole number of segments
     */
    @Nullable
    String strippedFrom(String path, String forwarded) {
        int stripped =
                forwarded.equals("/") && !path.endsWith("/") ? path.length() : path.length() - forwarded.length();
        boolean isPrefix = stripped > 0
                && stripped <= literalPrefix.length()
                && (stripped == literalPrefix.length() || literalPrefix.charAt(stripped) == '/')
                && path.startsWith(literalPrefix)
                && (stripped == path.length() || path.regionMatches(stripped, forwarded, 0, forwarded.length()));
        return isPrefix ? literalPrefix.substring(0, stripped) : null;
    }
}
