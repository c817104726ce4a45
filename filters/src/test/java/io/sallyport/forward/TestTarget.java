// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.forward.upstream.PeerProof;
import io.sallyport.forward.upstream.UpstreamPeer;
import io.sallyport.forward.upstream.UpstreamProtocol;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.identity.ExpectedId;
import io.sallyport.identity.ExpectedIds;
import java.time.Duration;
import java.util.Arrays;

/** An upstream on this machine, at 127.0.0.1 and over HTTP/1.1 if nothing else is said, waited for as by default. */
public final class TestTarget {
    private final int port;
    private final PeerProof proof;

    private String host = "127.0.0.1";
    private Duration timeout = Duration.ofSeconds(10);
    private Duration connectTimeout = Duration.ofSeconds(2);
    private Duration idleTimeout = Duration.ofSeconds(4);
    private boolean preserveHost;
    private boolean forwardToken;
    private UpstreamProtocol protocol = UpstreamProtocol.HTTP1;

    private TestTarget(int port, PeerProof proof) {
        this.port = port;
        this.proof = proof;
    }

    public static TestTarget plaintext(int port) {
        return new TestTarget(port, PeerProof.Nothing.NOTHING);
    }

    /** One that is reached over mutual TLS. */
    public static TestTarget pinned(int port, String... ids) {
        return proving(
                port,
                new PeerProof.Workload(
                        ExpectedIds.of(Arrays.stream(ids).map(ExpectedId::parse).toList())));
    }

    /** One that is reached over TLS, and proves that. */
    public static TestTarget proving(int port, PeerProof proof) {
        return new TestTarget(port, proof);
    }

    public TestTarget at(String host) {
        this.host = host;
        return this;
    }

    public TestTarget timeout(Duration timeout) {
        this.timeout = timeout;
        return this;
    }

    public TestTarget connectTimeout(Duration connectTimeout) {
        this.connectTimeout = connectTimeout;
        return this;
    }

    public TestTarget idleTimeout(Duration idleTimeout) {
        this.idleTimeout = idleTimeout;
        return this;
    }

    public TestTarget preserveHost(boolean preserveHost) {
        this.preserveHost = preserveHost;
        return this;
    }

    public TestTarget forwardToken(boolean forwardToken) {
        this.forwardToken = forwardToken;
        return this;
    }

    public TestTarget over(UpstreamProtocol protocol) {
        this.protocol = protocol;
        return this;
    }

    public UpstreamTarget build() {
        var peer = new UpstreamPeer(host, port, proof, connectTimeout, idleTimeout, protocol);
        return new UpstreamTarget(peer, host + ":" + port, timeout, preserveHost, forwardToken);
    }
}
