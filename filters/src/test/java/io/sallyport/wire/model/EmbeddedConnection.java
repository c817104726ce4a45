// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelId;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * A TCP connection without a network, as the gateway's Netty and the client's kernel see it. Bytes lie on the way until the other side
 * reads them, and of those to the client there is room for so many only.
 *
 * <p>As hostile as RFC 9112 section 9.6 says: who closes a connection on which something is unread, or to which something comes afterwards,
 * resets it, and what the client has not read by then is lost.
 */
final class EmbeddedConnection extends EmbeddedChannel implements DuplexChannel {
    private final InetSocketAddress peer;
    private final int room;

    // Made by the superclass's constructor, through the two methods that give them.
    private Direct unsafe;
    private Config config;

    private final ByteBuf toGateway = Unpooled.buffer();
    private final ByteBuf toClient = Unpooled.buffer();

    private boolean readOnce;
    private boolean outputShutdown;
    private boolean lingerZero;
    private boolean closed;
    private boolean reset;
    private boolean lost;
    private boolean clientEnded;
    private boolean clientGone;
    private boolean answeredByReset;
    private @Nullable Object stray;

    /**
     * @param port of the client
     * @param room bytes that fit between gateway and client
     * @param marks the water marks of what the gateway holds behind that
     */
    @SuppressWarnings("NullAway.Init") // by the superclass's constructor
    EmbeddedConnection(
            int port,
            int room,
            WriteBufferWaterMark marks,
            ByteBufAllocator allocator,
            ChannelHandler last,
            String nameOfLast) {
        super(new Id(), false, false);
        this.peer = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        this.room = room;
        config().setWriteBufferWaterMark(marks).setAllocator(allocator);
        try {
            register();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        freezeTime();
        pipeline().addLast(nameOfLast, last);
    }

    // the client's side

    /** Sends bytes, and resets the connection if nobody is there any more. */
    void fromClient(byte[] bytes) {
        if (closed) {
            resetByGateway();
        } else {
            toGateway.writeBytes(bytes);
        }
    }

    /** What the client reads now; empty if there is nothing yet, or no more. */
    byte[] read(int atMost) {
        var bytes = new byte[Math.min(atMost, toClient.readableBytes())];
        toClient.readBytes(bytes);
        toClient.discardReadBytes();
        if (isOpen()) {
            unsafe.writable();
        }
        return bytes;
    }

    boolean hasForClient() {
        return toClient.isReadable();
    }

    /** Whether the client sees the end of the connection when it has read what there is. */
    boolean hasEnded() {
        return reset || outputShutdown || closed;
    }

    boolean isReset() {
        return reset;
    }

    /** Whether bytes that the gateway had sent have not reached the client. */
    boolean hasLost() {
        return lost;
    }

    /** The client's direction ends behind what it has sent. */
    void shutdownByClient() {
        clientEnded = true;
    }

    /** The client closes: what it has not read it does not want. */
    void closeByClient() {
        clientEnded = true;
        clientGone = true;
        toClient.clear();
    }

    void resetByClient() {
        clientGone = true;
        toGateway.clear();
        toClient.clear();
        if (isOpen()) {
            pipeline().fireExceptionCaught(new IOException("Connection reset by peer"));
            unsafe.close(unsafe.voidPromise());
        }
    }

    /** Whether the client's kernel is to say that it does not take what the gateway has sent after the client's close. */
    boolean isToBeReset() {
        return answeredByReset && isOpen();
    }

    // the gateway's side

    /** Whether the gateway would read if it were its turn. An end is noticed whether it reads or not. */
    boolean isToBeRead() {
        return isOpen() && (clientEnded || (toGateway.isReadable() && (config.isAutoRead() || readOnce)));
    }

    /**
     * One turn of reading: the bytes of each size while the gateway reads on, then the end.
     *
     * @param sizes at the most
     */
    void readByGateway(int... sizes) {
        if (!toGateway.isReadable()) {
            unsafe.close(unsafe.voidPromise());
            return;
        }
        for (int size : sizes) {
            if (toGateway.isReadable() && isOpen() && (clientEnded || config.isAutoRead() || readOnce)) {
                readOnce = false;
                int length = Math.min(size, toGateway.readableBytes());
                var bytes = alloc().buffer(length);
                bytes.writeBytes(toGateway, length);
                toGateway.discardReadBytes();
                pipeline().fireChannelRead(bytes);
            }
        }
        pipeline().fireChannelReadComplete();
    }

    int unread() {
        return toGateway.readableBytes();
    }

    /** What has reached the end of the pipeline, where nothing may arrive. */
    @Nullable
    Object stray() {
        return stray;
    }

    @Override
    protected void doBeginRead() {
        readOnce = !config().isAutoRead();
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer out) throws Exception {
        for (var message = out.current(); message != null; message = out.current()) {
            var bytes = (ByteBuf) message;
            if (outputShutdown || answeredByReset) {
                throw new IOException("Broken pipe");
            }
            int length =
                    Math.min(bytes.readableBytes(), clientGone ? Integer.MAX_VALUE : room - toClient.readableBytes());
            if (clientGone) {
                answeredByReset |= length > 0;
            } else {
                toClient.writeBytes(bytes, bytes.readerIndex(), length);
            }
            if (length == bytes.readableBytes()) {
                out.remove();
            } else {
                out.removeBytes(length);
                return;
            }
        }
    }

    @Override
    protected void doClose() throws Exception {
        super.doClose();
        closed = true;
        if (lingerZero) {
            // On purpose.
            reset = true;
        } else if (toGateway.isReadable()) {
            resetByGateway();
        }
    }

    @Override
    protected void doShutdownOutput() {
        outputShutdown = true;
    }

    private void resetByGateway() {
        reset = true;
        lost |= toClient.isReadable();
        toClient.clear();
    }

    @Override
    protected void handleInboundMessage(Object message) {
        stray = message.getClass();
        ReferenceCountUtil.release(message);
    }

    @Override
    public ChannelConfig config() {
        if (config == null) {
            config = new Config();
        }
        return config;
    }

    @Override
    public Unsafe unsafe() {
        return unsafe;
    }

    @Override
    protected AbstractUnsafe newUnsafe() {
        unsafe = new Direct();
        return unsafe;
    }

    @Override
    protected SocketAddress remoteAddress0() {
        return peer;
    }

    @Override
    public boolean isInputShutdown() {
        return false;
    }

    @Override
    public ChannelFuture shutdownInput() {
        return shutdownInput(newPromise());
    }

    @Override
    public ChannelFuture shutdownInput(ChannelPromise promise) {
        return promise.setFailure(new UnsupportedOperationException());
    }

    @Override
    public boolean isOutputShutdown() {
        return outputShutdown;
    }

    @Override
    public ChannelFuture shutdownOutput() {
        return shutdownOutput(newPromise());
    }

    @Override
    public ChannelFuture shutdownOutput(ChannelPromise promise) {
        unsafe.shutdownOutput(promise);
        return promise;
    }

    @Override
    public boolean isShutdown() {
        return false;
    }

    @Override
    public ChannelFuture shutdown() {
        return shutdown(newPromise());
    }

    @Override
    public ChannelFuture shutdown(ChannelPromise promise) {
        return promise.setFailure(new UnsupportedOperationException());
    }

    /** Does what it is told and nothing else, as a transport with an event loop does: tasks run when the loop comes to them. */
    private final class Direct extends AbstractUnsafe {
        @Override
        public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
            safeSetSuccess(promise);
        }

        /** There is room again for what was flushed. */
        void writable() {
            flush0();
        }
    }

    private final class Config extends DefaultChannelConfig {
        Config() {
            super(EmbeddedConnection.this);
        }

        @Override
        public <T> boolean setOption(ChannelOption<T> option, T value) {
            if (option.equals(ChannelOption.SO_LINGER)) {
                lingerZero = true;
                return true;
            }
            return super.setOption(option, value);
        }

        @Override
        protected void autoReadCleared() {
            readOnce = false;
        }
    }

    /** Attributes hang on it. */
    private static final class Id implements ChannelId {
        private static final long serialVersionUID = 1L;

        @Override
        public String asShortText() {
            return "model";
        }

        @Override
        public String asLongText() {
            return "model";
        }

        @Override
        public int compareTo(ChannelId other) {
            return Integer.compare(System.identityHashCode(this), System.identityHashCode(other));
        }
    }
}
