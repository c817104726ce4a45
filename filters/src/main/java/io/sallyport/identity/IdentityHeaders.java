// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The header fields by which a gateway, a proxy or a framework says who a caller is, where a request came from, or which
 * request it really was. Whatever of them a client sends is removed before any stage or upstream could believe it; what
 * an upstream gets of them was written by this gateway. The names that a route's {@code upstream.identity} writes join them.
 *
 * <p>The trace fields are among them: {@code baggage} carries data across trust boundaries, and a stranger's {@code
 * traceparent} would decide what is sampled and join traces that have nothing to do with each other (W3C Trace Context,
 * section 7). The gateway makes no trace of its own: {@code X-Request-ID} ties an upstream's log to a record.
 *
 * <p>Not among them, because they are somebody else's business: credentials ({@code authenticate}), hop-by-hop fields and
 * {@code X-Request-ID} ({@code forward} replaces it).
 */
public final class IdentityHeaders {
    public static final List<String> NAMES = List.of(
            "b3",
            "baggage",
            "cf-connecting-ip",
            "cf-connecting-ipv6",
            "client-cert",
            "client-cert-chain",
            "client-ip",
            "cookie2",
            "disguised-host",
            "fastly-client-ip",
            "fly-client-ip",
            "forwarded",
            "forwarded-for",
            "forwarded-for-ip",
            "gap-auth",
            "http-client-ip",
            "http-x-forwarded-for",
            "incap-client-ip",
            "kubeflow-userid",
            // CGI makes the variable HTTP_PROXY of it ("httpoxy", CVE-2016-5385).
            "proxy",
            "proxy-client-ip",
            "traceparent",
            "tracestate",
            "true-client-ip",
            "txn-token",
            "was-default-hostname",
            "x-anonymous-consumer",
            "x-apigateway-api-userinfo",
            "x-client-dn",
            "x-client-ip",
            "x-client-verify",
            "x-cluster-client-ip",
            "x-email",
            "x-endpoint-api-userinfo",
            "x-forwarded",
            "x-groups",
            "x-host",
            "x-http-host-override",
            "x-http-method",
            "x-http-method-override",
            "x-id-token",
            "x-method-override",
            "x-nf-client-connection-ip",
            "x-originating-ip",
            "x-permissions",
            "x-principal",
            "x-proxyuser-ip",
            "x-real-ip",
            "x-rewrite-url",
            "x-role",
            "x-roles",
            "x-scope-orgid",
            "x-scopes",
            "x-subject",
            "x-sucuri-clientip",
            "x-tenant-id",
            "x-token-subject",
            "x-user",
            "x-user-email",
            "x-user-groups",
            "x-user-id",
            "x-user-name",
            "x-user-roles",
            "x-userinfo",
            "x-username",
            "x-waws-unencoded-url");

    /**
     * Beginnings of names: of products that have more of them than anybody has counted. Some are whole namespaces, because such a
     * product lets its operator choose the rest of the name.
     */
    public static final List<String> FAMILIES = List.of(
            "cf-access-",
            "impersonate-",
            "iv-",
            "l5d-",
            "mellon-",
            "ms-aspnetcore-",
            "oam-",
            "oidc-",
            "osso-",
            "remote-",
            "shib-",
            "sm-",
            "ssl-client-",
            "tailscale-user-",
            "wl-proxy-",
            "x-amzn-mtls-",
            "x-amzn-oidc-",
            "x-appengine-",
            "x-arr-",
            "x-auth-",
            "x-authenticated-",
            "x-authentik-",
            "x-azure-",
            "x-b3-",
            "x-client-cert",
            "x-consumer-",
            "x-credential-",
            "x-envoy-",
            "x-forwarded-",
            "x-goog-",
            "x-hasura-",
            // Netty's own, from which an HTTP/2 upstream's :scheme and :path would be made.
            "x-http2-",
            "x-jwt-",
            "x-ms-client-principal",
            "x-ms-token-",
            "x-okta-",
            "x-original-",
            "x-pomerium-",
            "x-remote-",
            "x-sallyport-",
            "x-saml-",
            "x-spiffe-",
            "x-ssl-",
            "x-vouch-",
            "x-webauth-");

    /** The families by the letter that they begin with. */
    private static final Family[][] FAMILIES_OF_LETTER = new Family[26][];

    static {
        for (int letter = 0; letter < FAMILIES_OF_LETTER.length; letter++) {
            char first = (char) ('a' + letter);
            FAMILIES_OF_LETTER[letter] = FAMILIES.stream()
                    .filter(family -> family.charAt(0) == first)
                    .map(family -> new Family(family, family + "*"))
                    .toArray(Family[]::new);
        }
    }

    private record Family(String beginning, String label) {}

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

    private final String[] names;
    private final int mask;
    private final @Nullable IdentityHeaders accepted;

    private IdentityHeaders(Collection<String> names) {
        this(names, null);
    }

    private IdentityHeaders(Collection<String> names, @Nullable IdentityHeaders accepted) {
        this.accepted = accepted;
        int size = Integer.highestOneBit(names.size()) * 4;
        this.names = new String[size];
        this.mask = size - 1;
        for (var name : names) {
            int slot = FoldedName.hash(name) & mask;
            while (this.names[slot] != null && !FoldedName.isSame(this.names[slot], name)) {
                slot = (slot + 1) & mask;
            }
            this.names[slot] = FoldedName.of(name);
        }
    }

    /** Those that are built in, and these. */
    public static IdentityHeaders with(Collection<String> more) {
        if (more.isEmpty()) {
            return STANDARD;
        }
        var names = new ArrayList<>(NAMES);
        names.addAll(more);
        return new IdentityHeaders(names);
    }

    /** These but for some, which clients may send. */
    public IdentityHeaders except(Collection<String> accepted) {
        if (accepted.isEmpty()) {
            return this;
        }
        var listed = Arrays.stream(names).filter(Objects::nonNull).toList();
        return new IdentityHeaders(listed, new IdentityHeaders(accepted));
    }

    /** Whether that header, however it is written, is one that clients may not send. */
    public boolean contains(CharSequence name) {
        return find(name) != null;
    }

    /**
     * Which of these a header is, however it is written.
     *
     * @return the listed name, or the beginning of its family and {@code *}; null if it is none of them
     */
    public @Nullable String find(CharSequence name) {
        var listed = listed(name);
        var found = listed == null ? familyOf(name) : listed;
        return found == null || accepted == null || accepted.listed(name) == null ? found : null;
    }

    private @Nullable String listed(CharSequence name) {
        int slot = FoldedName.hash(name) & mask;
        for (var candidate = names[slot]; candidate != null; candidate = names[slot]) {
            if (FoldedName.isSame(candidate, name)) {
                return candidate;
            }
            slot = (slot + 1) & mask;
        }
        return null;
    }

    private static @Nullable String familyOf(CharSequence name) {
        int letter = name.isEmpty() ? -1 : FoldedName.lower(name.charAt(0)) - 'a';
        if (letter < 0 || letter >= FAMILIES_OF_LETTER.length) {
            return null;
        }
        for (var family : FAMILIES_OF_LETTER[letter]) {
            if (FoldedName.beginsWith(name, family.beginning())) {
                return family.label();
            }
        }
        return null;
    }

    /**
     * Whether dropping that header would change who a request is from, what it may do, where it goes or how long it is: the
     * identity headers, and those that are never removed.
     */
    public boolean isSensitive(CharSequence name) {
        return contains(name) || SENSITIVE.listed(name) != null;
    }

    /** Whether an operator may have that header removed from every request. */
    public static boolean mayBeAdded(String name) {
        return !name.isEmpty()
                && name.length() <= LONGEST_NAME
                && name.chars().allMatch(IdentityHeaders::isNameCharacter)
                && SENSITIVE.listed(name) == null;
    }

    /** Whether a field name that has this character is let in at all; every other one is folded into it by some reader. */
    public static boolean isNameCharacter(int c) {
        return (c >= 'a' && c <= 'z') || c == '-' || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }
}
