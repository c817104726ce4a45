// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.config.Findings;
import io.sallyport.identity.ExpectedIds;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The upstream of a route, compiled: the address that requests go to, and the identities that it may prove there.
 *
 * @param tls whether it is reached over mutual TLS; if not, the operator wrote {@code insecure-plaintext}
 * @param host in lower case; an IPv6 address without its brackets
 * @param authority host and port as {@code Host} says them, without the scheme's own port
 * @param expectedIds empty if and only if there is no TLS
 */
public record UpstreamTarget(
        boolean tls,
        String host,
        int port,
        String authority,
        ExpectedIds expectedIds,
        Duration timeout,
        Duration connectTimeout,
        Duration idleTimeout,
        boolean preserveHost,
        boolean forwardToken,
        UpstreamProtocol protocol) {

    private static final String A_URI =
            "https:// (or http:// with insecure-plaintext: true), a host and an optional port, nothing after it";
    private static final Pattern HOST_NAME =
            Pattern.compile("[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*");
    private static final int HTTPS_PORT = 443;
    private static final int HTTP_PORT = 80;

    public UpstreamTarget {
        if (tls == expectedIds.isEmpty()) {
            throw new IllegalArgumentException("upstream %s: expected IDs: %s (expected: some if and only if it is TLS)"
                    .formatted(authority, expectedIds));
        }
    }

    /** Compiles the section, or adds findings at its place and returns null. */
    public static @Nullable UpstreamTarget compile(UpstreamConfig config, Findings.Place at) {
        var uri = config.uri();
        var scheme = uri.getScheme();
        var host = hostOf(uri);
        if (host == null || !(scheme.equals("https") || scheme.equals("http"))) {
            // The user-info may hold a password, and the findings are printed.
            at.child("uri").reject(uri.getRawUserInfo() == null ? uri : "(with user-info)", A_URI);
            return null;
        }
        var tls = scheme.equals("https");
        if (!hasItsPins(config, tls, at)) {
            return null;
        }
        int usualPort = tls ? HTTPS_PORT : HTTP_PORT;
        int port = uri.getPort() < 0 ? usualPort : uri.getPort();
        var written = host.indexOf(':') < 0 ? host : "[" + host + "]";
        return new UpstreamTarget(
                tls,
                host,
                port,
                port == usualPort ? written : written + ":" + port,
                ExpectedIds.of(config.expectedIds()),
                config.timeout(),
                config.connectTimeout(),
                config.idleTimeout(),
                config.preserveHost(),
                config.forwardToken(),
                config.protocol());
    }

    private static boolean hasItsPins(UpstreamConfig config, boolean tls, Findings.Place at) {
        if (tls) {
            if (config.insecurePlaintext()) {
                at.child("insecure-plaintext").reject(true, "absent, for the upstream is https");
                return false;
            }
            if (config.expectedIds().isEmpty()) {
                at.child("expected-ids").reject(null, "at least one SPIFFE ID, for the upstream is https");
                return false;
            }
            return true;
        }
        if (!config.insecurePlaintext()) {
            at.child("uri").reject(config.uri(), "https://, or beside it insecure-plaintext: true");
            return false;
        }
        if (!config.expectedIds().isEmpty()) {
            at.child("expected-ids").reject(config.expectedIds(), "absent, for nobody proves an identity over http");
            return false;
        }
        return true;
    }

    /** The host alone, or null if there is none or more than host and port behind the scheme. */
    private static @Nullable String hostOf(URI uri) {
        var host = uri.getHost();
        if (host == null
                || uri.getRawUserInfo() != null
                || !uri.getRawPath().isEmpty()
                || uri.getRawQuery() != null
                || uri.getRawFragment() != null
                || uri.getPort() == 0
                || uri.getPort() > 65_535) {
            return null;
        }
        if (host.startsWith("[")) {
            return host.substring(1, host.length() - 1).toLowerCase(Locale.ROOT);
        }
        var name = host.toLowerCase(Locale.ROOT);
        return HOST_NAME.matcher(name).matches() ? name : null;
    }
}
