// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What two routes must have in common to share connections: the address, the protocol, how long they are waited for and kept, and
 * what was proven on them. With the generation of the gateway's own identity it keys TLS contexts and pools, so that a connection
 * which was verified for one route's pin never serves another's.
 *
 * @param host in lower case; an IPv6 address without its brackets
 */
public record UpstreamPeer(
        String host,
        int port,
        PeerProof proof,
        Duration connectTimeout,
        Duration idleTimeout,
        UpstreamProtocol protocol) {

    /** Whether it is reached over TLS; if not, the operator wrote {@code insecure-plaintext}. */
    boolean tls() {
        return proof != PeerProof.Nothing.NOTHING;
    }

    /** Where to connect to: a literal address as it is, a name still to be resolved. */
    InetSocketAddress address() {
        var literal = literal(host);
        return literal == null ? InetSocketAddress.createUnresolved(host, port) : new InetSocketAddress(literal, port);
    }

    /** The name in the SNI, or null for none. */
    @Nullable
    String serverName() {
        if (proof instanceof PeerProof.Named named) {
            return named.serverName();
        }
        return isAddress(host) ? null : host;
    }

    /** Whether that is an IP address, and no name. */
    static boolean isAddress(String host) {
        return NetUtil.createByteArrayFromIpAddressString(host) != null;
    }

    private static @Nullable InetAddress literal(String host) {
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
        return 31 * (31 * host.hashCode() + port) + proof.hashCode();
    }

    /** Names the upstream in metrics. */
    String label() {
        return host + ":" + port;
    }
}
