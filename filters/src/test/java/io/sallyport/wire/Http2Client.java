// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** An HTTP/2 client that sends the frames a test wants, and shows each frame that comes back. */
public final class Http2Client implements AutoCloseable {
    private final EventLoopGroup group;
    private final Channel connection;

    private Http2Client(EventLoopGroup group, Channel connection) {
        this.group = group;
        this.connection = connection;
    }

    /** Connects by TLS with ALPN, naming that server in SNI. */
    public static Http2Client connect(int port, String serverName) throws Exception {
        return connect(port, serverName, Http2Settings.defaultSettings());
    }

    /** The same, with what the client tells of itself first. */
    public static Http2Client connect(int port, String serverName, Http2Settings settings) throws Exception {
        var tls = SslContextBuilder.forClient()
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .endpointIdentificationAlgorithm(null)
                .applicationProtocolConfig(new ApplicationProtocolConfig(
                        Protocol.ALPN,
                        SelectorFailureBehavior.NO_ADVERTISE,
                        SelectedListenerFailureBehavior.ACCEPT,
                        ApplicationProtocolNames.HTTP_2))
                .build();
        var group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        var connection = new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(tls.newHandler(channel.alloc(), serverName, port))
                                .addLast(Http2FrameCodecBuilder.forClient()
                                        .initialSettings(settings)
                                        .build())
                                .addLast(new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()));
                    }
                })
                .connect("127.0.0.1", port)
                .sync()
                .channel();
        return new Http2Client(group, connection);
    }

    /** Sends the head of a request on a new stream. */
    public Stream request(String method, String authority, boolean last, String... fields) throws Exception {
        var channel = new Http2StreamChannelBootstrap(connection).open().sync().getNow();
        var stream = new Stream(channel);
        channel.pipeline().addLast(stream);
        Http2Headers headers = new DefaultHttp2Headers(false)
                .method(method)
                .scheme("https")
                .authority(authority)
                .path("/");
        for (int i = 0; i < fields.length; i += 2) {
            headers.add(fields[i], fields[i + 1]);
        }
        channel.writeAndFlush(new DefaultHttp2HeadersFrame(headers, last)).sync();
        return stream;
    }

    /** Sends a frame past the codec, which knows nothing of it. */
    public Http2Client raw(int type, int flags, int stream, int... payload) throws InterruptedException {
        var frame = Unpooled.buffer()
                .writeMedium(payload.length)
                .writeByte(type)
                .writeByte(flags)
                .writeInt(stream);
        for (int octet : payload) {
            frame.writeByte(octet);
        }
        // Or not, where the server has just ended the connection.
        connection.writeAndFlush(frame).await();
        return this;
    }

    /** Opens a stream and takes it back, as far as the connection still lets it. */
    public void openAndReset(String authority) throws InterruptedException {
        var channel = new Http2StreamChannelBootstrap(connection).open().await().getNow();
        if (channel != null) {
            var headers = new DefaultHttp2Headers()
                    .method("GET")
                    .scheme("https")
                    .authority(authority)
                    .path("/");
            channel.writeAndFlush(new DefaultHttp2HeadersFrame(headers, true)).await();
            channel.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.CANCEL)).await();
        }
    }

    /** Whether the server has ended the connection, which has to be soon. */
    public boolean isEndedByServer() throws InterruptedException {
        return connection.closeFuture().await(10, TimeUnit.SECONDS);
    }

    public boolean isEndedWithin(Duration time) throws InterruptedException {
        return connection.closeFuture().await(time.toMillis());
    }

    public boolean isConnected() {
        return connection.isActive();
    }

    @Override
    public void close() {
        connection.close().syncUninterruptibly();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** One stream: what comes in on it, frame by frame, as text. */
    public static final class Stream extends ChannelInboundHandlerAdapter {
        private final BlockingQueue<String> frames = new LinkedBlockingQueue<>();
        private volatile Http2Headers head = new DefaultHttp2Headers();
        private final Http2StreamChannel channel;

        private Stream(Http2StreamChannel channel) {
            this.channel = channel;
        }

        public Stream send(String data, boolean last) throws InterruptedException {
            // Not sync: the server may have reset the stream already, which the frames that come back show.
            channel.writeAndFlush(
                            new DefaultHttp2DataFrame(Unpooled.copiedBuffer(data, StandardCharsets.US_ASCII), last))
                    .await();
            return this;
        }

        public void reset() throws InterruptedException {
            channel.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.CANCEL)).sync();
        }

        /** The next frame: {@code HEADERS 200}, {@code DATA text}, {@code RESET NO_ERROR}; the last of an answer ends with a dot. */
        public String next() throws InterruptedException {
            var frame = frames.poll(10, TimeUnit.SECONDS);
            if (frame == null) {
                throw new AssertionError("no frame");
            }
            return frame;
        }

        /** The head of the answer, after it was the {@link #next}. */
        public Http2Headers head() {
            return head;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            switch (message) {
                case Http2HeadersFrame headers -> {
                    head = headers.headers();
                    frames.add("HEADERS " + headers.headers().status() + (headers.isEndStream() ? "." : ""));
                }
                case Http2DataFrame data -> {
                    frames.add("DATA " + data.content().toString(StandardCharsets.US_ASCII)
                            + (data.isEndStream() ? "." : ""));
                    data.release();
                }
                default -> frames.add(message.toString());
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof Http2ResetFrame reset) {
                frames.add("RESET " + Http2Error.valueOf(reset.errorCode()));
            }
        }
    }
}
