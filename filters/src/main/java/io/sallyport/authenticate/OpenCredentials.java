// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.authenticate.issuer.Issuer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The credentials that a public route leaves to its upstream, which authenticates by itself. Nobody looks at them here but for one
 * thing: a token of an issuer that the gateway knows is for the gateway's own routes, and never reaches such an upstream.
 */
public final class OpenCredentials {
    /** Forms of a JWS and a JWE; a field may have several, of any scheme. */
    private static final Pattern TOKEN =
            Pattern.compile("[A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_-]*){2}(?:(?:\\.[A-Za-z0-9_-]*){2})?");

    private static final Pattern SEPARATORS = Pattern.compile("[\\s,;=\"]+");

    private final boolean authorization;
    private final Set<String> cookies;
    private final List<Issuer> issuers;

    /**
     * @param authorization whether the upstream may have {@code Authorization}
     * @param cookies the names of those that it may have
     * @param issuers all that the gateway knows
     */
    public OpenCredentials(boolean authorization, Collection<String> cookies, Collection<Issuer> issuers) {
        this.authorization = authorization;
        this.cookies = Set.copyOf(cookies);
        this.issuers = List.copyOf(issuers);
    }

    /** Removes what the upstream may not have. */
    void leaveOnlyThese(HttpHeaders headers) {
        // Proofs and credentials for proxies are about a connection with the gateway.
        headers.remove(HttpHeaderNames.PROXY_AUTHORIZATION);
        headers.remove("DPoP");
        var fields = headers.getAll(HttpHeaderNames.AUTHORIZATION);
        // Of several, who knows which one the upstream reads.
        if (!authorization || fields.size() > 1 || (fields.size() == 1 && mayBeOurs(fields.getFirst()))) {
            headers.remove(HttpHeaderNames.AUTHORIZATION);
        }
        var sent = headers.getAll(HttpHeaderNames.COOKIE);
        if (!sent.isEmpty()) {
            var left = left(sent);
            if (left.isEmpty()) {
                headers.remove(HttpHeaderNames.COOKIE);
            } else {
                headers.set(HttpHeaderNames.COOKIE, left);
            }
        }
    }

    private String left(List<String> fields) {
        var left = new ArrayList<String>();
        for (var field : fields) {
            for (var each : field.split(";", -1)) {
                var cookie = each.strip();
                int equals = cookie.indexOf('=');
                if (equals > 0 && cookies.contains(cookie.substring(0, equals).strip())) {
                    left.add(cookie);
                }
            }
        }
        return String.join("; ", left);
    }

    /** Whether there is a token in it of an issuer that the gateway knows, or one of which that cannot be told. */
    private boolean mayBeOurs(String authorization) {
        for (var word : SEPARATORS.split(authorization, -1)) {
            if (TOKEN.matcher(word).matches()
                    && (!(UnverifiedToken.parseUnverified(word) instanceof UnverifiedToken.Jws token)
                            || isOfKnownIssuer(token))) {
                return true;
            }
        }
        return false;
    }

    private boolean isOfKnownIssuer(UnverifiedToken.Jws token) {
        var iss = token.issuer();
        for (var issuer : issuers) {
            var trustDomain = issuer.trustDomain();
            if (trustDomain == null
                    ? iss != null && issuer.issues(iss)
                    : trustDomain.toIdString().equals(token.trustDomain())) {
                return true;
            }
        }
        return false;
    }
}
