// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.sallyport.decision.Reason;
import io.sallyport.edge.HeadLimits;
import io.sallyport.forward.SwitchableConnection;
import io.sallyport.forward.upstream.FlushPerTurn;
import io.sallyport.identity.ExpectedIds;
import io.sallyport.identity.TrustBundleSource;
import io.sallyport.wire.framing.FramingGuard;
import io.sallyport.wire.framing.HeadDeadline;
import io.sallyport.wire.framing.Http2FrameGuard;
import io.sallyport.wire.framing.Http2MessageGuard;
import io.sallyport.wire.shedding.LoopPace;
import io.sallyport.wire.shedding.PacedReads;
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
import org.springframework.util.unit.DataSize;
import reactor.netty.ConnectionObserver;
import reactor.netty.NettyPipeline;
import reactor.netty.http.HttpProtocol;
import reactor.netty.http.server.HttpRequestDecoderSpec;
import reactor.netty.http.server.HttpServer;
import reactor.netty.resources.LoopResources;

/**
 * Makes a server a listener of the configuration file: address, TLS, protocols, limits and time-outs, and nothing that reads a
 * request before the pipeline does: no forwarded headers, no compression, no access log, no HTTP/2 in plaintext. Whatever
 * {@code server.*} says of these is overruled.
 */
public final class IngressServerCustomizer implements NettyServerCustomizer, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(IngressServerCustomizer.class);

    /** By how much the codec allows more than we do: a limit of ours is then always met first, with our answer and a record. */
    private static final DataSize SLACK = DataSize.ofKilobytes(1);

    /** The same for HTTP/2, whose codec counts 32 bytes more for each field (RFC 9113 section 6.5.2). */
    private static final DataSize HTTP_2_SLACK = DataSize.ofKilobytes(8);

    private static final int MAX_CONCURRENT_STREAMS = 100;
    /** Resets of one connection within the window: CVE-2023-44487 from the client, MadeYouReset (CVE-2025-55163) from us. */
    private static final int MAX_RESETS_BY_CLIENT = 200;

    // More, for a refused upload is one of them.
    private static final int MAX_RESETS_BY_US = 1_000;
    private static final int RESET_WINDOW_SECONDS = 30;

    // The listeners, by their sections in the file.
    private static final String LISTENER = "listener";
    private static final String INTERNAL_LISTENER = "internal-listener";

    private static final String FRAMING_GUARD = "sallyport.framing-guard";
    private static final String HEAD_DEADLINE = "sallyport.head-deadline";

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
        var limited = server.bindAddress(() -> address)
                .forwarded(false)
                .compress(false)
                .accessLog(false)
                .httpRequestDecoder(this::limitCodec)
                .doOnChannelInit(this::initialize)
                .childObserve(handler::onState);
        if (tls == null) {
            return limited.noSSL().protocol(HttpProtocol.HTTP11);
        }
        return limited.protocol(HttpProtocol.H2, HttpProtocol.HTTP11)
                .secure(spec -> spec.sslContext(tls).handshakeTimeout(listener.requestTimeout()))
                .http2Settings(settings -> settings.maxConcurrentStreams(MAX_CONCURRENT_STREAMS)
                        .maxHeaderListSize(listener.maxHeaders().toBytes() + HTTP_2_SLACK.toBytes())
                        .maxDecodedRstFramesPerWindow(MAX_RESETS_BY_CLIENT, RESET_WINDOW_SECONDS)
                        .maxEncodedRstFramesPerWindow(MAX_RESETS_BY_US, RESET_WINDOW_SECONDS));
    }

    private HttpRequestDecoderSpec limitCodec(HttpRequestDecoderSpec codec) {
        return codec.maxInitialLineLength(bytes(listener.maxRequestLine()))
                .maxHeaderSize(bytes(listener.maxHeaders()))
                .validateHeaders(true)
                .allowDuplicateContentLengths(false);
    }

    private static int bytes(DataSize limit) {
        return Math.toIntExact(limit.toBytes() + SLACK.toBytes());
    }

    private void initialize(ConnectionObserver observer, Channel channel, @Nullable SocketAddress remoteAddress) {
        if (tls != null) {
            ConnectionFacts.shown(channel, tls.certificates());
        }
        var guard = new FramingGuard(
                headLimits,
                handler::refuseBytes,
                connection -> Http1Requests.install(connection, handler),
                this::guardHttp2);
        var codec = tls == null ? NettyPipeline.HttpCodec : NettyPipeline.H2OrHttp11Codec;
        if (certificates != null) {
            channel.pipeline().addBefore(codec, "sallyport.certificate-watch", certificates);
        }
        channel.pipeline()
                .addBefore(codec, FRAMING_GUARD, guard)
                .addBefore(
                        codec,
                        HEAD_DEADLINE,
                        new HeadDeadline(
                                guard::headUnderWay,
                                listener.requestTimeout(),
                                here -> handler.refuseBytes(here, Reason.EDGE_REQUEST_TIMEOUT, false)));
        channel.attr(SwitchableConnection.KEY).set(guard);
        AnswerDeadline.ofConnection(channel, listener.answerTimeout());
        IdleDeadline.watch(channel, listener.idleTimeout(), guard::headUnderWay);
        // Last: whom it refuses is gone.
        gate.enter(channel);
    }

    /** The codecs of HTTP/2 have just been put behind. */
    private void guardHttp2(ChannelHandlerContext here) {
        var pipeline = here.pipeline();
        var codec = pipeline.get(Http2FrameCodec.class);
        var pace = LoopPace.of(here.channel().eventLoop());
        var frames = new Http2FrameGuard(codec, handler::recordUnread, pace, System::nanoTime);
        var headDeadline = new HeadDeadline(frames::headUnderWay, listener.requestTimeout(), frames::endLate);
        var paced = new PacedReads(pace, headDeadline::pause);
        pipeline.addAfter(FRAMING_GUARD, "sallyport.http2-frame-guard", frames)
                .addAfter(FRAMING_GUARD, "sallyport.paced-reads", paced);
        pipeline.replace(HEAD_DEADLINE, HEAD_DEADLINE, headDeadline);
        pipeline.addAfter(NettyPipeline.HttpCodec, "sallyport.http2-message-guard", new Http2MessageGuard(frames))
                .addAfter(NettyPipeline.HttpCodec, "sallyport.flush-per-turn", new FlushPerTurn());
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
