// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.config.Findings;
import io.sallyport.identity.ExpectedIds;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The upstream of a route, compiled: the address that requests go to, and what it has to prove there.
 *
 * @param peer what connections to it are shared by
 * @param authority host and port as {@code Host} says them, without the scheme's own port
 */
public record UpstreamTarget(
        UpstreamPeer peer, String authority, Duration timeout, boolean preserveHost, boolean forwardToken) {

    private static final String A_URI =
            "https:// (or http:// with insecure-plaintext: true), a host and an optional port, nothing after it";
    private static final Pattern HOST_NAME =
            Pattern.compile("[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*");
    private static final int HTTPS_PORT = 443;
    private static final int HTTP_PORT = 80;

    /** Whether it is reached over TLS; if not, the operator wrote {@code insecure-plaintext}. */
    public boolean tls() {
        return peer.tls();
    }

    /** In lower case; an IPv6 address without its brackets. */
    public String host() {
        return peer.host();
    }

    public int port() {
        return peer.port();
    }

    public UpstreamProtocol protocol() {
        return peer.protocol();
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
        var proof = hasItsPins(config, tls, at) ? proof(config, host, at) : null;
        if (proof == null) {
            return null;
        }
        int usualPort = tls ? HTTPS_PORT : HTTP_PORT;
        int port = uri.getPort() < 0 ? usualPort : uri.getPort();
        var written = host.indexOf(':') < 0 ? host : "[" + host + "]";
        return new UpstreamTarget(
                new UpstreamPeer(host, port, proof, config.connectTimeout(), config.idleTimeout(), config.protocol()),
                port == usualPort ? written : written + ":" + port,
                config.timeout(),
                config.preserveHost(),
                config.forwardToken());
    }

    /** What a section asks for that {@link #hasItsPins} found right so far. */
    private static @Nullable PeerProof proof(UpstreamConfig config, String host, Findings.Place at) {
        var candidates = ExpectedIds.of(config.candidateExpectedIds());
        if (!config.expectedIds().isEmpty()) {
            return new PeerProof.Workload(ExpectedIds.of(config.expectedIds()), candidates);
        }
        return config.tls() == null
                ? PeerProof.Nothing.NOTHING
                : named(config.tls(), host, candidates, at.child("tls"));
    }

    private static @Nullable PeerProof named(
            UpstreamTlsConfig tls, String host, ExpectedIds candidates, Findings.Place at) {
        var serverName = tls.serverName() == null ? host : tls.serverName();
        if (!HOST_NAME.matcher(serverName).matches() || UpstreamPeer.isAddress(serverName)) {
            at.child("server-name")
                    .reject(tls.serverName(), "a DNS name in lower case, for the host of uri is an address");
            return null;
        }
        if (tls.wildcard() && serverName.indexOf('.') < 0) {
            at.child("wildcard").reject(true, "nothing, because no wildcard stands for a name of one label");
        }
        var files = TlsFiles.read(tls, at);
        return files == null
                ? null
                : new PeerProof.Named(
                        files,
                        serverName,
                        tls.wildcard(),
                        tls.clientCertificate().isSvid(),
                        Set.copyOf(tls.spki()),
                        candidates);
    }

    private static boolean hasItsPins(UpstreamConfig config, boolean tls, Findings.Place at) {
        if (tls) {
            if (config.insecurePlaintext()) {
                at.child("insecure-plaintext").reject(true, "absent, for the upstream is https");
                return false;
            }
            if (config.expectedIds().isEmpty() && config.tls() == null) {
                at.child("expected-ids")
                        .reject(
                                null,
                                "at least one SPIFFE ID, for the upstream is https; or, if it has none, a section tls");
                return false;
            }
            if (!config.expectedIds().isEmpty() && config.tls() != null) {
                at.child("tls").reject("(a section)", "nothing, because expected-ids says what the upstream proves");
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
        if (config.tls() != null) {
            at.child("tls").reject("(a section)", "absent, for nobody proves a name over http");
            return false;
        }
        if (!config.candidateExpectedIds().isEmpty()) {
            at.child("candidate-expected-ids")
                    .reject(config.candidateExpectedIds(), "absent, for nobody proves an identity over http");
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
