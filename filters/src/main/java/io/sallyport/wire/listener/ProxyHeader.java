// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.Future;
import io.sallyport.wire.exchange.ConnectionFacts;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Takes the client's address from the PROXY header with which a trusted proxy's connection begins (HAProxy's specification of the
 * protocol, versions 1 and 2), and is gone with it. Nothing behind it sees a byte before. A header that is malformed, does not come
 * in time or is not there at all ends the connection, unanswered: there is nobody who could be told.
 */
final class ProxyHeader extends ChannelInboundHandlerAdapter {
    private static final String DECODER = "sallyport.proxy-decoder";
    private static final String NAME = "sallyport.proxy-header";

    /** Enough for what load balancers add (an id, a host name, facts of TLS), none of which is read here. */
    private static final int MAX_EXTENSIONS = 1_024;

    private final Duration timeout;
    private final ConnectionGate gate;
    private @Nullable Future<?> timer;
    private boolean refused;
    private boolean read;
    private boolean more;

    private ProxyHeader(Duration timeout, ConnectionGate gate) {
        this.timeout = timeout;
        this.gate = gate;
    }

    /** Makes the connection wait for its header; on its event loop, before it has been read from. */
    static void require(Channel channel, Duration timeout, ConnectionGate gate) {
        channel.pipeline()
                .addFirst(NAME, new ProxyHeader(timeout, gate))
                .addFirst(DECODER, new HAProxyMessageDecoder(MAX_EXTENSIONS));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        timer = context.executor().schedule(() -> refuse(context.channel()), timeout.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws UnknownHostException {
        if (!(message instanceof HAProxyMessage header)) {
            more = true;
            context.fireChannelRead(message);
            return;
        }
        InetSocketAddress client;
        try {
            client = clientOf(header, (InetSocketAddress) context.channel().remoteAddress());
        } finally {
            header.release();
        }
        read = true;
        cancelTimer();
        if (client == null) {
            refuse(context.channel());
        } else {
            ConnectionFacts.from(context.channel(), client);
            gate.admit(context.channel(), client.getAddress());
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (read) {
            context.pipeline().remove(this);
            // Whoever is behind asks for more only once it has got something, and so would never.
            if (!more && !context.channel().config().isAutoRead()) {
                context.read();
            }
        }
        context.fireChannelReadComplete();
    }

    /** Null if it is no client of TCP. */
    private static @Nullable InetSocketAddress clientOf(HAProxyMessage header, InetSocketAddress proxy)
            throws UnknownHostException {
        return switch (header.proxiedProtocol()) {
            case TCP4, TCP6 ->
                new InetSocketAddress(
                        InetAddress.getByAddress(NetUtil.createByteArrayFromIpAddressString(header.sourceAddress())),
                        header.sourcePort());
            // LOCAL, or a client that the proxy cannot name: then it is the proxy's own request, a health check.
            case UNKNOWN -> proxy;
            case UDP4, UDP6, UNIX_STREAM, UNIX_DGRAM -> null;
        };
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        // The decoder's: it has no other way to say so, and may say so again of what it still reads.
        refuse(context.channel());
    }

    private void refuse(Channel channel) {
        if (!refused) {
            refused = true;
            gate.refuse(channel, ConnectionGate.Cause.PROXY_HEADER);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        cancelTimer();
    }

    private void cancelTimer() {
        if (timer != null) {
            timer.cancel(false);
        }
    }
}
