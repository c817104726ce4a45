// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolNegotiator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.util.List;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSessionContext;
import org.jspecify.annotations.Nullable;

/**
 * The TLS of a port whose certificates change while it is open: each new connection gets the context of that moment.
 *
 * <p>What is shown next is a new context, not another key in the old one: a client that would resume a session of the old one gets
 * a whole handshake, and sees what is shown now.
 */
public abstract class CurrentTls extends SslContext implements AutoCloseable {
    /** What a connection that is made now begins its handshake with. Any thread, and never blocks. */
    abstract SslContext current();

    /** Which certificates it is shown one of; null if they are not of host names. */
    public abstract @Nullable ServerCertificates certificates();

    /** Follows the certificates no longer. */
    @Override
    public abstract void close();

    // Handlers not by way of newEngine: Netty's own contexts make engines without the JDK's restrictions for theirs.

    @Override
    protected final SslHandler newHandler(ByteBufAllocator allocator, boolean startTls) {
        return current().newHandler(allocator);
    }

    @Override
    protected final SslHandler newHandler(ByteBufAllocator allocator, boolean startTls, Executor executor) {
        return current().newHandler(allocator, executor);
    }

    @Override
    protected final SslHandler newHandler(ByteBufAllocator allocator, String peerHost, int peerPort, boolean startTls) {
        return current().newHandler(allocator, peerHost, peerPort);
    }

    @Override
    protected final SslHandler newHandler(
            ByteBufAllocator allocator, String peerHost, int peerPort, boolean startTls, Executor executor) {
        return current().newHandler(allocator, peerHost, peerPort, executor);
    }

    @Override
    public final SSLEngine newEngine(ByteBufAllocator allocator) {
        return current().newEngine(allocator);
    }

    @Override
    public final SSLEngine newEngine(ByteBufAllocator allocator, String peerHost, int peerPort) {
        return current().newEngine(allocator, peerHost, peerPort);
    }

    @Override
    public final boolean isClient() {
        return false;
    }

    @Override
    public final List<String> cipherSuites() {
        return current().cipherSuites();
    }

    @Override
    @SuppressWarnings("deprecation") // the type of Netty's own abstract method
    public final ApplicationProtocolNegotiator applicationProtocolNegotiator() {
        return current().applicationProtocolNegotiator();
    }

    @Override
    public final SSLSessionContext sessionContext() {
        return current().sessionContext();
    }
}
