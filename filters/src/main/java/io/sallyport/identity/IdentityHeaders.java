// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.List;

/**
 * The header fields by which a gateway, a proxy or a framework says who a caller is, where a request came from, or which
 * request it really was. Whatever of them a client sends is removed before any stage or upstream could believe it; what
 * an upstream gets of them was written by this gateway.
 *
 * <p>The trace fields are among them: {@code baggage} carries data across trust boundaries, and a stranger's {@code
 * traceparent} would decide what is sampled and join traces that have nothing to do with each other (W3C Trace Context,
 * section 7). The gateway begins a trace of its own.
 *
 * <p>Not among them, because they are somebody else's business: credentials ({@code authenticate}), hop-by-hop fields and
 * {@code X-Request-ID} ({@code forward} replaces it).
 */
public final class IdentityHeaders {
    public static final List<String> NAMES = List.of(
            "baggage",
            "b3",
            "cf-access-authenticated-user-email",
            "cf-access-jwt-assertion",
            "cf-connecting-ip",
            "client-cert",
            "client-cert-chain",
            "client-ip",
            "fastly-client-ip",
            "forwarded",
            "forwarded-for",
            "forwarded-for-ip",
            // CGI makes the variable HTTP_PROXY of it ("httpoxy", CVE-2016-5385).
            "proxy",
            "remote-user",
            "tailscale-user-login",
            "tailscale-user-name",
            "traceparent",
            "tracestate",
            "true-client-ip",
            "txn-token",
            "x-anonymous-consumer",
            "x-arr-clientcert",
            "x-client-dn",
            "x-client-ip",
            "x-client-verify",
            "x-cluster-client-ip",
            "x-credential-identifier",
            "x-forwarded",
            "x-host",
            "x-http-host-override",
            "x-http-method",
            "x-http-method-override",
            "x-method-override",
            "x-originating-ip",
            "x-proxyuser-ip",
            "x-real-ip",
            "x-rewrite-url",
            "x-token-subject",
            "x-user",
            "x-user-email",
            "x-user-groups",
            "x-user-id",
            "x-user-name",
            "x-user-roles",
            "x-userinfo",
            "x-username");

    /** Beginnings of names; a client's certificate has more of them than anybody has counted. */
    public static final List<String> FAMILIES = List.of(
            "ssl-client-",
            "x-amzn-oidc-",
            "x-auth-",
            "x-authenticated-",
            "x-b3-",
            "x-client-cert",
            "x-consumer-",
            "x-envoy-",
            "x-forwarded-",
            "x-goog-authenticated-user-",
            "x-goog-iap-",
            // Netty's own, from which an HTTP/2 upstream's :scheme and :path would be made.
            "x-http2-",
            "x-ms-client-principal",
            "x-original-",
            "x-remote-",
            "x-sallyport-",
            "x-ssl-",
            "x-webauth-");

    /** What a request needs to be one, and what {@code authenticate} reads. */
    private static final List<String> NEVER_REMOVED = List.of(
            "authorization",
            "connection",
            "content-length",
            "content-type",
            "cookie",
            "dpop",
            "expect",
            "host",
            "transfer-encoding");

    /** Those that are built in. */
    public static final IdentityHeaders STANDARD = new IdentityHeaders(NAMES);

    private static final IdentityHeaders SENSITIVE = new IdentityHeaders(NEVER_REMOVED);

    private static final int LONGEST_NAME = 64;

    private final AsciiString[] names;
    private final int mask;

    private IdentityHeaders(List<String> names) {
        int size = Integer.highestOneBit(names.size()) * 4;
        this.names = new AsciiString[size];
        this.mask = size - 1;
        for (var name : names) {
            int slot = AsciiString.hashCode(name) & mask;
            while (this.names[slot] != null) {
                slot = (slot + 1) & mask;
            }
            this.names[slot] = AsciiString.cached(name);
        }
    }

    /** Those that are built in, and these. */
    public static IdentityHeaders with(List<String> more) {
        if (more.isEmpty()) {
            return STANDARD;
        }
        var names = new ArrayList<>(NAMES);
        names.addAll(more);
        return new IdentityHeaders(names);
    }

    /** Whether that header, in any case, is one that clients may not send. */
    public boolean contains(CharSequence name) {
        return isNamed(name) || isOfFamily(name);
    }

    private boolean isNamed(CharSequence name) {
        // Netty's hash is the same for both cases of a letter.
        int slot = AsciiString.hashCode(name) & mask;
        for (var candidate = names[slot]; candidate != null; candidate = names[slot]) {
            if (candidate.contentEqualsIgnoreCase(name)) {
                return true;
            }
            slot = (slot + 1) & mask;
        }
        return false;
    }

    private static boolean isOfFamily(CharSequence name) {
        int first = name.isEmpty() ? 0 : name.charAt(0) | 0x20;
        if (first != 'x' && first != 's') {
            return false;
        }
        for (var family : FAMILIES) {
            if (AsciiString.regionMatchesAscii(name, true, 0, family, 0, family.length())) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether dropping that header would change who a request is from, what it may do, where it goes or how long it is: the
     * identity headers, and those that are never removed.
     */
    public boolean isSensitive(CharSequence name) {
        return contains(name) || SENSITIVE.isNamed(name);
    }

    /** Whether an operator may have that header removed from every request. */
    public static boolean mayBeAdded(String name) {
        return !name.isEmpty()
                && name.length() <= LONGEST_NAME
                && name.chars().allMatch(IdentityHeaders::isNameCharacter)
                && !SENSITIVE.isNamed(name);
    }

    /** Whether a field name that has this character is let in at all; every other one is folded into it by some reader. */
    public static boolean isNameCharacter(int c) {
        return (c >= 'a' && c <= 'z') || c == '-' || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }
}
