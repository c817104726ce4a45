// SPDX-License-Identifier: Apache-2.0
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.nio.charset.StandardCharsets;

/**
 * Answers whatever arrives with the bytes of one refusal, on the libraries and the JVM that the gateway runs on: reads nothing, decides
 * nothing, writes no record. What a refusal costs here is TLS, Netty and the kernel, and the rest of what the gateway's costs is the gateway.
 *
 * <p>Arguments: port, certificate, key.
 */
public final class ConstantAnswer {
    private static final String BODY = """
            {"type":"about:blank","title":"Unauthorized","status":401,"code":"unauthenticated",\
            "instance":"urn:uuid:01a20320-a200-7f49-9f36-35a17962f968"}""";
    private static final byte[] ANSWER = """
            HTTP/1.1 401 Unauthorized
            date: Mon, 23 Nov 2026 04:00:00 GMT
            www-authenticate: Bearer
            content-type: application/problem+json
            cache-control: no-store
            x-request-id: 01a20320-a200-7f49-9f36-35a17962f968
            content-length: %d

            %s""".formatted(BODY.length(), BODY).replace("\n", "\r\n").getBytes(StandardCharsets.US_ASCII);

    public static void main(String[] arguments) throws Exception {
        var tls = SslContextBuilder.forServer(new File(arguments[1]), new File(arguments[2]))
                .sslProvider(SslProvider.OPENSSL)
                .build();
        new ServerBootstrap()
                .group(new MultiThreadIoEventLoopGroup(Runtime.getRuntime().availableProcessors(), EpollIoHandler.newFactory()))
                .channel(EpollServerSocketChannel.class)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast(tls.newHandler(channel.alloc()), new Answering());
                    }
                })
                .bind("127.0.0.1", Integer.parseInt(arguments[0]))
                .sync()
                .channel()
                .closeFuture()
                .sync();
    }

    /** One answer for each record of TLS, which is one request of those that are sent here. */
    private static final class Answering extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object request) {
            ((ByteBuf) request).release();
            var answer = context.alloc().directBuffer(ANSWER.length).writeBytes(ANSWER);
            context.writeAndFlush(answer, context.voidPromise());
        }
    }
}
