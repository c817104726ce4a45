// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.sallyport.edge.Cidr;
import io.sallyport.wire.exchange.Abort;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Who may hold a connection: so many in all, so many from one address, and where a PROXY header is required, trusted proxies
 * alone. Who may not is reset without a word, before TLS: an answer would cost what the limit is there to save. Counts them all.
 */
final class ConnectionGate {

    /** Why a connection ended before it could ask for anything. */
    enum Cause {
        /** One more than {@code max-connections}. */
        TOTAL,
        /** One more than {@code max-connections-per-address}. */
        ADDRESS,
        /** Where a PROXY header is required: from somebody who is no trusted proxy. */
        PROXY_UNTRUSTED,
        /** Where a PROXY header is required: there was none in time, or none that can be read. */
        PROXY_HEADER,
        /** The TLS handshake took longer than {@code request-timeout}. */
        HANDSHAKE_TIMEOUT
    }

    private final ListenerConfig limits;
    private final ProxyProtocol proxyProtocol;
    private final ConnectionListener connections;
    private final AtomicInteger open = new AtomicInteger();
    private final Map<Cause, Counter> refused = new EnumMap<>(Cause.class);

    /**
     * @param listener its section in the file
     * @param limits how many it lets in, and how long it waits for those whom it does not know yet
     * @param connections told of each client's connections, by the client's address
     */
    ConnectionGate(
            String listener,
            ListenerConfig limits,
            ProxyProtocol proxyProtocol,
            ConnectionListener connections,
            MeterRegistry meters) {
        this.limits = limits;
        this.proxyProtocol = proxyProtocol;
        this.connections = connections;
        Gauge.builder("sallyport.connections.open", open, AtomicInteger::get)
                .description("Connections of clients that are open now")
                .tag("listener", listener)
                .register(meters);
        for (var cause : Cause.values()) {
            refused.put(
                    cause,
                    Counter.builder("sallyport.connections.refused")
                            .description("Connections that were ended before their first request, by why")
                            .tag("listener", listener)
                            .tag("cause", cause.name().toLowerCase(Locale.ROOT))
                            .register(meters));
        }
    }

    /** A connection has been accepted. On its event loop, when its handlers are there and nothing has been read. */
    void enter(Channel channel) {
        int held = open.incrementAndGet();
        channel.closeFuture().addListener(_ -> open.decrementAndGet());
        if (held > limits.maxConnections()) {
            refuse(channel, Cause.TOTAL);
            return;
        }
        watchHandshake(channel);
        var peer = ((InetSocketAddress) channel.remoteAddress()).getAddress();
        if (proxyProtocol == ProxyProtocol.REFUSED) {
            admit(channel, peer);
        } else if (isTrusted(peer, limits.trustedProxies())) {
            ProxyHeader.require(channel, limits.requestTimeout(), this);
        } else {
            refuse(channel, Cause.PROXY_UNTRUSTED);
        }
    }

    private void watchHandshake(Channel channel) {
        var tls = channel.pipeline().get(SslHandler.class);
        if (tls != null) {
            tls.handshakeFuture().addListener(handshake -> {
                if (handshake.cause() instanceof SslHandshakeTimeoutException) {
                    count(Cause.HANDSHAKE_TIMEOUT);
                }
            });
        }
    }

    /**
     * It is known whose connection it is.
     *
     * @param client the transport peer, or who a trusted proxy says is behind it
     */
    void admit(Channel channel, InetAddress client) {
        int held = connections.opened(client);
        channel.closeFuture().addListener(_ -> connections.closed(client));
        // Proxies hold connections for many. Where they name who is behind them, an address of theirs is a client's.
        if (held > limits.maxConnectionsPerAddress() && !isTrusted(client, limits.forwardedForProxies())) {
            refuse(channel, Cause.ADDRESS);
        }
    }

    void refuse(Channel channel, Cause cause) {
        count(cause);
        Abort.connection(channel);
    }

    private void count(Cause cause) {
        var counter = refused.get(cause);
        if (counter != null) {
            counter.increment();
        }
    }

    private static boolean isTrusted(InetAddress address, List<Cidr> proxies) {
        for (var block : proxies) {
            if (block.contains(address)) {
                return true;
            }
        }
        return false;
    }
}
