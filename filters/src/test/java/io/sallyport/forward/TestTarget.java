// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.forward.upstream.UpstreamProtocol;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.identity.ExpectedId;
import io.sallyport.identity.ExpectedIds;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** An upstream on this machine, at 127.0.0.1 and over HTTP/1.1 if nothing else is said, waited for as by default. */
public final class TestTarget {
    private final int port;
    private final List<ExpectedId> expectedIds;

    private String host = "127.0.0.1";
    private Duration timeout = Duration.ofSeconds(10);
    private Duration connectTimeout = Duration.ofSeconds(2);
    private Duration idleTimeout = Duration.ofSeconds(4);
    private boolean preserveHost;
    private boolean forwardToken;
    private UpstreamProtocol protocol = UpstreamProtocol.HTTP1;

    private TestTarget(int port, List<ExpectedId> expectedIds) {
        this.port = port;
        this.expectedIds = expectedIds;
    }

    public static TestTarget plaintext(int port) {
        return new TestTarget(port, List.of());
    }

    /** One that is reached over mutual TLS. */
    public static TestTarget pinned(int port, String... ids) {
        return new TestTarget(port, Arrays.stream(ids).map(ExpectedId::parse).toList());
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
        return new UpstreamTarget(
                !expectedIds.isEmpty(),
                host,
                port,
                host + ":" + port,
                ExpectedIds.of(expectedIds),
                timeout,
                connectTimeout,
                idleTimeout,
                preserveHost,
                forwardToken,
                protocol);
    }
}
