// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolNegotiator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSslServerSessionContext;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.sallyport.forward.TestCa.Svid;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSessionContext;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;

/**
 * An upstream on OpenSSL whose session tickets outlive its identity, as those of several workloads do that share one ticket key
 * behind one address. (The JDK's own server takes no ticket back once its certificate has changed.) Closes each connection after
 * its answer.
 */
final class TicketUpstream implements AutoCloseable {
    private static final byte[] OF_ALL = "upstreams".getBytes(StandardCharsets.US_ASCII);

    private final AtomicInteger requests = new AtomicInteger();
    private final Current tls;
    private final DisposableServer server;

    private TicketUpstream(Svid svid) {
        this.tls = new Current(contextOf(svid));
        this.server = HttpServer.create()
                .host("127.0.0.1")
                .port(0)
                .secure(spec -> spec.sslContext(tls))
                .handle((_, response) -> {
                    requests.incrementAndGet();
                    return response.keepAlive(false).sendString(Mono.just("hello"));
                })
                .bindNow();
    }

    static TicketUpstream of(Svid svid) {
        return new TicketUpstream(svid);
    }

    /** From the next full handshake on it proves that identity; tickets that it has given out stay good. */
    void become(Svid other) {
        tls.context = contextOf(other);
    }

    int port() {
        return server.port();
    }

    int requests() {
        return requests.get();
    }

    @Override
    public void close() {
        server.disposeNow(Duration.ofSeconds(1));
    }

    private static SslContext contextOf(Svid svid) {
        try {
            var context = SslContextBuilder.forServer(svid.key(), svid.chain())
                    .sslProvider(SslProvider.OPENSSL)
                    .clientAuth(ClientAuth.OPTIONAL)
                    .trustManager(InsecureTrustManagerFactory.INSTANCE)
                    .build();
            var sessions = (OpenSslServerSessionContext) Objects.requireNonNull(context.sessionContext());
            sessions.setSessionIdContext(OF_ALL);
            sessions.setTicketKeys(new OpenSslSessionTicketKey(
                    new byte[OpenSslSessionTicketKey.NAME_SIZE],
                    new byte[OpenSslSessionTicketKey.HMAC_KEY_SIZE],
                    new byte[OpenSslSessionTicketKey.AES_KEY_SIZE]));
            return context;
        } catch (SSLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Hands each connection on to the context of the moment. */
    private static final class Current extends SslContext {
        private volatile SslContext context;

        Current(SslContext context) {
            this.context = context;
        }

        @Override
        public SSLEngine newEngine(ByteBufAllocator allocator) {
            return context.newEngine(allocator);
        }

        @Override
        public SSLEngine newEngine(ByteBufAllocator allocator, String peerHost, int peerPort) {
            return context.newEngine(allocator, peerHost, peerPort);
        }

        @Override
        public boolean isClient() {
            return false;
        }

        @Override
        public List<String> cipherSuites() {
            return context.cipherSuites();
        }

        @Override
        @SuppressWarnings("deprecation") // the type of Netty's own abstract method
        public ApplicationProtocolNegotiator applicationProtocolNegotiator() {
            return context.applicationProtocolNegotiator();
        }

        @Override
        public SSLSessionContext sessionContext() {
            return context.sessionContext();
        }
    }
}
