// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

import java.util.Map;
import java.util.Set;

/**
 * One challenge of a {@code WWW-Authenticate} field (RFC 9110 section 11.6.1), rendered once when it is made.
 *
 * <p>Every parameter value is written as a quoted-string and has to be printable ASCII without {@code "} and {@code \}: a
 * challenge is made of fixed texts and of configuration, never of what a client or a parser said. The one exception is a canonical
 * path, which has neither.
 */
public final class Challenge {
    private static final String BEARER = "Bearer";
    private static final String REALM = "realm";
    private static final String METADATA = "resource_metadata";
    private static final String SCOPE = "scope";

    private final String scheme;
    private final String headerValue;
    private final boolean namesScope;
    private final boolean namesRealm;

    /** Where the path of a resource goes that differs from the host; -1 where no metadata is named. */
    private final int endOfMetadata;

    private Challenge(String scheme, String headerValue, Set<String> names, int endOfMetadata) {
        this.scheme = scheme;
        this.headerValue = headerValue;
        this.namesScope = names.contains(SCOPE);
        this.namesRealm = names.contains(REALM);
        this.endOfMetadata = endOfMetadata;
    }

    /**
     * A {@code Bearer} challenge (RFC 6750 section 3), parameters in the map's iteration order.
     *
     * @throws IllegalArgumentException if a value cannot stand in a quoted-string as it is
     */
    public static Challenge bearer(Map<String, String> parameters) {
        return of(BEARER, parameters);
    }

    /**
     * Says that a client certificate is wanted, for routes that accept nothing else. HTTP has no registered scheme for credentials
     * of the TLS layer, and requires a challenge with a 401 all the same.
     */
    public static Challenge clientCertificate(String realm) {
        return of("ClientCertificate", Map.of("realm", realm));
    }

    private static Challenge of(String scheme, Map<String, String> parameters) {
        var rendered = new StringBuilder(scheme);
        var separator = ' ';
        int endOfMetadata = -1;
        for (var parameter : parameters.entrySet()) {
            requireQuotable(parameter.getKey(), parameter.getValue());
            rendered.append(separator).append(parameter.getKey());
            rendered.append("=\"").append(parameter.getValue());
            if (parameter.getKey().equals(METADATA)) {
                endOfMetadata = rendered.length();
            }
            rendered.append('"');
            separator = ',';
        }
        return new Challenge(scheme, rendered.toString(), parameters.keySet(), endOfMetadata);
    }

    private static void requireQuotable(String name, String value) {
        if (!value.chars().allMatch(c -> c >= 0x20 && c <= 0x7e && c != '"' && c != '\\')) {
            throw new IllegalArgumentException(
                    "challenge parameter %s: %s (expected: printable ASCII without quote and backslash)"
                            .formatted(name, value));
        }
    }

    /** The challenge as one element of the {@code WWW-Authenticate} field. */
    public String headerValue() {
        return headerValue;
    }

    /**
     * The same with all that the resource has to say: {@code realm}, {@code resource_metadata} and {@code scope} where it has none
     * of its own.
     *
     * @param path canonical: of the resource that was asked for
     */
    public String headerValue(ProtectedResource resource, String path) {
        if (!scheme.equals(BEARER)) {
            return headerValue;
        }
        var scope = namesScope || resource.scope().isEmpty() ? "" : "," + SCOPE + "=\"" + resource.scope() + '"';
        if (endOfMetadata >= 0) {
            // The host's, which that of a path begins with.
            return new StringBuilder(headerValue.length() + path.length() + scope.length())
                    .append(headerValue, 0, endOfMetadata)
                    .append(path.equals("/") ? "" : path)
                    .append(headerValue, endOfMetadata, headerValue.length())
                    .append(scope)
                    .toString();
        }
        var own = headerValue.substring(Math.min(headerValue.length(), BEARER.length() + 1));
        return BEARER + (namesRealm ? " " : ' ' + REALM + "=\"" + resource.realm() + "\",") + own + scope + ','
                + METADATA + "=\"" + resource.metadataOf(path) + '"';
    }

    @Override
    public String toString() {
        return headerValue;
    }
}
