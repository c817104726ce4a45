// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ApplicationProtocolNegotiationHandler;
import io.sallyport.edge.HeadLimits;
import io.sallyport.identity.ExpectedIds;
import io.sallyport.identity.TrustBundleSource;
import io.sallyport.wire.exchange.AnswerDeadline;
import io.sallyport.wire.exchange.ConnectionFacts;
import io.sallyport.wire.exchange.IngressHandler;
import io.sallyport.wire.http1.Http1Connection;
import io.sallyport.wire.http2.Http2ClientConnection;
import io.sallyport.wire.tls.CertificateWatch;
import io.sallyport.wire.tls.ClientTrustManager;
import io.sallyport.wire.tls.CurrentTls;
import io.sallyport.wire.tls.ListenerTls;
import io.sallyport.wire.tls.OwnSvidTls;
import io.sallyport.wire.tls.RenewedTls;
import io.sallyport.workload.svid.SvidSource;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.reactor.netty.NettyServerCustomizer;
import reactor.netty.ConnectionObserver;
import reactor.netty.NettyPipeline;
import reactor.netty.http.HttpProtocol;
import reactor.netty.http.server.HttpServer;
import reactor.netty.resources.LoopResources;

/**
 * Makes a server a listener of the configuration file: address, TLS, protocols, limits and time-outs, and nothing that reads a
 * request before the pipeline does: no forwarded headers, no compression, no access log, no HTTP/2 in plaintext. Whatever
 * {@code server.*} says of these is overruled.
 */
public final class IngressServerCustomizer implements NettyServerCustomizer, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(IngressServerCustomizer.class);

    // The listeners, by their sections in the file.
    private static final String LISTENER = "listener";
    private static final String INTERNAL_LISTENER = "internal-listener";

    /** The handler behind ours. It counts the server's connections, so that they are closed when the server stops. */
    private static final String LAST = NettyPipeline.ReactiveBridge;

    private final ListenerConfig listener;
    private final InetSocketAddress address;
    private final IngressHandler handler;
    private final ConnectionGate gate;
    private final HeadLimits headLimits;
    private final @Nullable CurrentTls tls;
    private final @Nullable CertificateWatch certificates;

    /**
     * The listener of clients outside. Reads the certificates, and follows their files until it is closed.
     *
     * @param connections told of each client connection, for counting
     * @param bundles what certificates of clients are judged by, if the listener asks for any
     * @throws io.sallyport.config.InvalidSetting if a certificate or its key cannot be used
     */
    public static IngressServerCustomizer of(
            ListenerConfig listener,
            IngressHandler handler,
            ConnectionListener connections,
            TrustBundleSource bundles,
            InstantSource clock,
            MeterRegistry meters) {
        logCapabilities();
        var gate = new ConnectionGate(LISTENER, listener, listener.proxyProtocol(), connections, meters);
        var address = new InetSocketAddress(listener.address(), listener.port());
        var tls = listener.tls();
        if (tls == null) {
            return new IngressServerCustomizer(listener, address, handler, gate, null, null);
        }
        var watch = new CertificateWatch(LISTENER, ConnectionFacts::clientOf, clock, meters);
        var clients = new ClientTrustManager(bundles, null, clock, watch);
        var renewed = RenewedTls.follow(
                LISTENER,
                tls.certificates(),
                builder -> builder.trustManager(clients)
                        .clientAuth(tls.clientCertificates().netty()),
                clock,
                meters);
        return new IngressServerCustomizer(
                listener, address, handler, gate, renewed, listener.asksForCertificates() ? watch : null);
    }

    /**
     * The listener of workloads inside, under the gateway's own SVID. No load balancer speaks for them.
     *
     * @param limits the other listener's, which are this one's too
     */
    public static IngressServerCustomizer internal(
            InternalListenerConfig internal,
            ListenerConfig limits,
            IngressHandler handler,
            ConnectionListener connections,
            SvidSource identities,
            InstantSource clock,
            MeterRegistry meters) {
        var watch = new CertificateWatch(INTERNAL_LISTENER, ConnectionFacts::clientOf, clock, meters);
        var callers = new ClientTrustManager(identities, ExpectedIds.of(internal.clientSpiffeIds()), clock, watch);
        return new IngressServerCustomizer(
                limits,
                new InetSocketAddress(internal.address(), internal.port()),
                handler,
                new ConnectionGate(INTERNAL_LISTENER, limits, ProxyProtocol.REFUSED, connections, meters),
                new OwnSvidTls(identities, callers, clock),
                watch);
    }

    /**
     * @param tls null for plaintext
     * @param certificates null if no client is asked for one
     */
    private IngressServerCustomizer(
            ListenerConfig listener,
            InetSocketAddress address,
            IngressHandler handler,
            ConnectionGate gate,
            @Nullable CurrentTls tls,
            @Nullable CertificateWatch certificates) {
        this.listener = listener;
        this.address = address;
        this.handler = handler;
        this.gate = gate;
        this.headLimits = new HeadLimits(
                Math.toIntExact(listener.maxRequestLine().toBytes()),
                Math.toIntExact(listener.maxHeaders().toBytes()));
        this.tls = tls;
        this.certificates = certificates;
    }

    @Override
    public HttpServer apply(HttpServer server) {
        var listening = server.bindAddress(() -> address)
                .forwarded(false)
                .compress(false)
                .accessLog(false)
                .doOnChannelInit(this::initialize);
        return tls == null
                ? listening.noSSL().protocol(HttpProtocol.HTTP11)
                : listening
                        .protocol(HttpProtocol.H2, HttpProtocol.HTTP11)
                        .secure(spec -> spec.sslContext(tls).handshakeTimeout(listener.requestTimeout()));
    }

    private void initialize(ConnectionObserver observer, Channel channel, @Nullable SocketAddress remoteAddress) {
        var pipeline = channel.pipeline();
        var idle = IdleDeadline.watch(channel, listener.idleTimeout());
        AnswerDeadline.ofConnection(channel, listener.answerTimeout());
        // Of Reactor Netty's server stays what accepts connections and what speaks TLS. Nothing of it reads a request.
        if (tls == null) {
            pipeline.remove(NettyPipeline.HttpCodec);
            pipeline.remove(NettyPipeline.HttpTrafficHandler);
            http1(pipeline, idle);
        } else {
            ConnectionFacts.shown(channel, tls.certificates());
            pipeline.remove(NettyPipeline.H2OrHttp11Codec);
            if (certificates != null) {
                pipeline.addBefore(LAST, "sallyport.certificate-watch", certificates);
            }
            pipeline.addBefore(LAST, "sallyport.protocol-choice", new ProtocolChoice(idle));
        }
        // Last: whom it refuses is gone.
        gate.enter(channel);
    }

    private void http1(ChannelPipeline pipeline, IdleDeadline idle) {
        var connection = Http1Connection.install(pipeline, LAST, handler, headLimits, listener.requestTimeout());
        idle.unless(connection::isBusy);
        pipeline.channel().config().setAutoRead(true);
    }

    private void http2(ChannelPipeline pipeline, IdleDeadline idle) {
        var connection = Http2ClientConnection.install(
                pipeline, LAST, handler, headLimits, listener.requestTimeout(), listener.answerTimeout());
        idle.unless(connection::isBusy);
        pipeline.channel().config().setAutoRead(true);
    }

    /** Puts in its place what reads the protocol that was agreed on in the handshake (ALPN, RFC 7301). */
    @SuppressWarnings("FutureReturnValueIgnored") // there is nothing left to do for a connection that will not close
    private final class ProtocolChoice extends ApplicationProtocolNegotiationHandler {
        private final IdleDeadline idle;

        ProtocolChoice(IdleDeadline idle) {
            super(ApplicationProtocolNames.HTTP_1_1);
            this.idle = idle;
        }

        @Override
        protected void configurePipeline(ChannelHandlerContext context, String protocol) {
            if (protocol.equals(ApplicationProtocolNames.HTTP_2)) {
                http2(context.pipeline(), idle);
            } else {
                http1(context.pipeline(), idle);
            }
        }

        /** Is counted, and where it matters logged, elsewhere. */
        @Override
        protected void handshakeFailure(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }

    private static void logCapabilities() {
        var transport = LoopResources.hasNativeSupport();
        var event = transport && ListenerTls.isNative() ? log.atInfo() : log.atWarn();
        event.addKeyValue("transport", transport ? "native" : "nio")
                .addKeyValue("tls", ListenerTls.isNative() ? "openssl" : "jdk")
                .log(
                        transport && ListenerTls.isNative()
                                ? "native transport and TLS"
                                : "no native transport or TLS for this platform: slower, otherwise the same");
    }

    @Override
    public void close() {
        if (tls != null) {
            tls.close();
        }
    }
}
