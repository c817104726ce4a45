// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.util.NetUtil;
import io.sallyport.identity.ExpectedIds;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What two routes must have in common to share connections: the address, the protocol, how long they are waited for and kept, and
 * the identities that were verified on them. With the generation of the gateway's own identity it keys TLS contexts and pools, so
 * that a connection which was verified for one route's pin never serves another's.
 *
 * @param expectedIds empty if and only if there is no TLS
 */
record UpstreamPeer(
        boolean tls,
        String host,
        int port,
        ExpectedIds expectedIds,
        Duration connectTimeout,
        Duration idleTimeout,
        UpstreamProtocol protocol) {

    static UpstreamPeer of(UpstreamTarget target) {
        return new UpstreamPeer(
                target.tls(),
                target.host(),
                target.port(),
                target.expectedIds(),
                target.connectTimeout(),
                target.idleTimeout(),
                target.protocol());
    }

    /** Where to connect to: a literal address as it is, a name still to be resolved. */
    InetSocketAddress address() {
        var literal = literal();
        return literal == null ? InetSocketAddress.createUnresolved(host, port) : new InetSocketAddress(literal, port);
    }

    boolean isLiteral() {
        return NetUtil.createByteArrayFromIpAddressString(host) != null;
    }

    private @Nullable InetAddress literal() {
        var bytes = NetUtil.createByteArrayFromIpAddressString(host);
        if (bytes == null) {
            return null;
        }
        try {
            return InetAddress.getByAddress(host, bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("%d bytes of an address".formatted(bytes.length), e);
        }
    }

    /** Of what differs: looked up for each request, and the texts remember theirs. */
    @Override
    public int hashCode() {
        return 31 * (31 * host.hashCode() + port) + expectedIds.hashCode();
    }

    /** Names the upstream in metrics. */
    String label() {
        return host + ":" + port;
    }
}
