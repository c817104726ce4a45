// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.config.Findings;
import io.sallyport.forward.upstream.UpstreamTarget;
import java.util.ArrayList;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Makes what of an answer names the upstream name the gateway. Where filters have changed the path of the request, the answer's paths
 * are changed back: what the two paths have in common at their ends is the resource's, and what stands before it is each side's own.
 *
 * <p>Texts are replaced as they stand; nothing is decoded or resolved.
 */
public final class AnswerRewrite {
    private static final String DOMAIN = "domain=";
    private static final String PATH = "path=";

    /** A browser takes such a cookie for the whole host and no other, so there is nothing to rewrite (RFC 6265bis). */
    private static final String OF_HOST = "__host-";

    private final boolean location;
    private final boolean cookies;
    private final String scheme;
    private final String portSuffix;

    private AnswerRewrite(RewriteConfig config, String scheme, String portSuffix) {
        this.location = config.location();
        this.cookies = config.cookies();
        this.scheme = scheme;
        this.portSuffix = portSuffix;
    }

    /**
     * Compiles the section.
     *
     * @param scheme that clients use
     * @param portSuffix what follows the host in the URL of a client
     * @param at the section
     * @return null, with a finding added, if it would have no effect
     */
    public static @Nullable AnswerRewrite compile(
            RewriteConfig config, String scheme, String portSuffix, Findings.Place at) {
        if (!config.location() && !config.cookies()) {
            at.reject("(a section)", "location: true, or cookies: true, or no such section");
            return null;
        }
        return new AnswerRewrite(config, scheme, portSuffix);
    }

    /**
     * Edits the head of an answer.
     *
     * @param host the route's
     * @param asked the path that the client asked for
     * @param sent the path that the upstream was asked for
     */
    void edit(HttpHeaders head, String host, UpstreamTarget target, String asked, String sent) {
        var paths = Paths.of(asked, sent);
        if (location) {
            rewriteUrl(head, HttpHeaderNames.LOCATION, host, target, paths);
            rewriteUrl(head, HttpHeaderNames.CONTENT_LOCATION, host, target, paths);
        }
        if (cookies && head.contains(HttpHeaderNames.SET_COOKIE)) {
            var rewritten = new ArrayList<String>();
            for (var cookie : head.getAll(HttpHeaderNames.SET_COOKIE)) {
                rewritten.add(cookie(cookie, host, target, paths));
            }
            head.set(HttpHeaderNames.SET_COOKIE, rewritten);
        }
    }

    private void rewriteUrl(HttpHeaders head, CharSequence name, String host, UpstreamTarget target, Paths paths) {
        var url = head.get(name);
        if (url != null) {
            head.set(name, url(url, host, target, paths));
        }
    }

    private String url(String url, String host, UpstreamTarget target, Paths paths) {
        int slashes = url.startsWith("//") ? 0 : startOfAuthority(url);
        if (slashes < 0) {
            return url.startsWith("/") ? paths.toClient(url) : url;
        }
        int end = slashes + 2;
        while (end < url.length() && "/?#\\".indexOf(url.charAt(end)) < 0) {
            end++;
        }
        var authority = url.substring(slashes + 2, end);
        boolean plaintext = slashes > 0 ? url.regionMatches(true, 0, "http:", 0, 5) : !target.tls();
        boolean ours = hostOf(authority).equals(host);
        if (authority.indexOf('@') >= 0 || (!ours && !isOf(target, authority, plaintext))) {
            return url;
        }
        var rest = url.substring(end);
        return scheme + "://" + host + portSuffix + (rest.startsWith("/") ? paths.toClient(rest) : rest);
    }

    /** Where the two slashes before the authority are, or -1 if it is no URL of HTTP. */
    private static int startOfAuthority(String url) {
        if (url.regionMatches(true, 0, "http://", 0, 7)) {
            return 5;
        }
        return url.regionMatches(true, 0, "https://", 0, 8) ? 6 : -1;
    }

    private static boolean isOf(UpstreamTarget target, String authority, boolean plaintext) {
        var host = hostOf(authority);
        var port = authority.substring(lengthOfHost(authority));
        int usual = plaintext ? 80 : 443;
        boolean samePort = port.length() <= 1 ? usual == target.port() : port.equals(":" + target.port());
        return samePort && host.equals(target.host());
    }

    private static String hostOf(String authority) {
        var host = authority.substring(0, lengthOfHost(authority)).toLowerCase(Locale.ROOT);
        return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
    }

    private static int lengthOfHost(String authority) {
        int bracket = authority.lastIndexOf(']');
        int colon = authority.indexOf(':', Math.max(0, bracket));
        return colon < 0 ? authority.length() : colon;
    }

    private static String cookie(String cookie, String host, UpstreamTarget target, Paths paths) {
        if (cookie.stripLeading().regionMatches(true, 0, OF_HOST, 0, OF_HOST.length())) {
            return cookie;
        }
        var attributes = cookie.split(";", -1);
        for (int i = 1; i < attributes.length; i++) {
            var attribute = attributes[i].strip();
            if (attribute.regionMatches(true, 0, DOMAIN, 0, DOMAIN.length())) {
                if (isDomainOf(attribute.substring(DOMAIN.length()).strip(), target.host())) {
                    attributes[i] = " Domain=" + host;
                }
            } else if (attribute.regionMatches(true, 0, PATH, 0, PATH.length())) {
                attributes[i] = " Path="
                        + paths.toClient(attribute.substring(PATH.length()).strip());
            }
        }
        return String.join(";", attributes);
    }

    /** Whether a cookie of that domain would be one of the upstream's. */
    private static boolean isDomainOf(String written, String upstream) {
        var domain = (written.startsWith(".") ? written.substring(1) : written).toLowerCase(Locale.ROOT);
        return !domain.isEmpty() && (upstream.equals(domain) || upstream.endsWith("." + domain));
    }

    /**
     * How paths of the two sides begin, up to what is the same in both; neither has a slash at its end.
     *
     * @param inner of the upstream's paths
     * @param outer of the client's
     */
    private record Paths(String inner, String outer) {
        static final Paths SAME = new Paths("", "");

        static Paths of(String asked, String sent) {
            if (asked.equals(sent)) {
                return SAME;
            }
            var ofClient = withoutLastSlash(asked);
            var ofUpstream = withoutLastSlash(sent);
            int common = 0;
            for (int i = 1; i <= ofClient.length() && i <= ofUpstream.length(); i++) {
                char c = ofClient.charAt(ofClient.length() - i);
                if (c != ofUpstream.charAt(ofUpstream.length() - i)) {
                    break;
                }
                if (c == '/') {
                    common = i;
                }
            }
            return new Paths(
                    ofUpstream.substring(0, ofUpstream.length() - common),
                    ofClient.substring(0, ofClient.length() - common));
        }

        private static String withoutLastSlash(String path) {
            return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        }

        /** What the client asks for to get that path of the upstream's, which may have a query behind it. */
        String toClient(String path) {
            if (inner.equals(outer) || !begins(path, inner)) {
                return path;
            }
            if (inner.isEmpty() && begins(path, outer)) {
                // The upstream knows under which path it is asked for.
                return path;
            }
            var rest = path.substring(inner.length());
            return outer.isEmpty() && !rest.startsWith("/") ? "/" + rest : outer + rest;
        }

        private static boolean begins(String path, String prefix) {
            return path.startsWith(prefix)
                    && (path.length() == prefix.length() || "/?#".indexOf(path.charAt(prefix.length())) >= 0);
        }
    }
}
