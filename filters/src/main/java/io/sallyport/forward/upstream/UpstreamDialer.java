// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.resolver.dns.DnsAddressResolverGroup;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import java.lang.invoke.MethodHandles;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.TcpClient;

/** Resolves and connects to upstreams, and puts their protocol on each connection. Safe for use by any thread. */
final class UpstreamDialer implements AutoCloseable {
    private final DnsAddressResolverGroup resolver = newResolver();
    private volatile @Nullable EventLoop anyEventLoop;

    /**
     * What connects to that upstream. Does not connect yet.
     *
     * @param eventLoop that its connections live on
     * @param opened gets each connection before its handshake, which is to end with its identity too
     * @param tls null for plaintext
     * @throws ForwardFailure as {@link UpstreamTls#towards} does
     */
    TcpClient client(UpstreamPeer peer, EventLoop eventLoop, ChannelGroup opened, @Nullable UpstreamTls tls) {
        anyEventLoop = eventLoop;
        var address = peer.address();
        var client = TcpClient.create(ConnectionProvider.newConnection())
                .remoteAddress(() -> address)
                .runOn((LoopResources) _ -> eventLoop)
                .resolver(resolver)
                .option(
                        ChannelOption.CONNECT_TIMEOUT_MILLIS,
                        Math.toIntExact(peer.connectTimeout().toMillis()))
                // Not with the first write that fails: an answer may be here to be read.
                .option(ChannelOption.AUTO_CLOSE, false)
                .doOnChannelInit((_, channel, _) -> {
                    opened.add(channel);
                    switch (peer.protocol()) {
                        case HTTP1 -> UpstreamConnection.install(channel.pipeline());
                        case H2 -> Http2Carrier.install(channel.pipeline(), peer.tls());
                    }
                });
        return tls == null ? client : client.secure(tls.towards(peer));
    }

    // Each event loop resolves for itself, without blocking. The files that say how are read here and now, and not
    // on an event loop with the first request.
    private DnsAddressResolverGroup newResolver() {
        var names = new DnsNameResolverBuilder()
                .datagramChannelFactory(() -> channelOf(DatagramChannel.class))
                .socketChannelFactory(() -> channelOf(SocketChannel.class));
        try {
            MethodHandles.lookup().ensureInitialized(DnsNameResolver.class);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("a public class", e);
        }
        return new DnsAddressResolverGroup(names);
    }

    // All event loops are of one kind: native ones where the platform has them.
    private <T extends Channel> T channelOf(Class<T> type) {
        var eventLoop = Objects.requireNonNull(anyEventLoop, "no request yet");
        LoopResources loop = _ -> eventLoop;
        return loop.onChannel(type, eventLoop);
    }

    @Override
    public void close() {
        resolver.close();
    }
}
