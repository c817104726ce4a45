// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.spiffe.spiffeid.SpiffeId;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.DisposableServer;
import reactor.netty.NettyPipeline;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.resources.LoopResources;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * A workload that serves HTTP over mutual TLS with an X509-SVID of its own, takes connections from one SPIFFE ID only, and
 * answers each request with what it has seen of it.
 */
public final class DemoUpstream implements AutoCloseable {
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private final String name;
    private final SpiffeId id;
    private final DisposableServer server;
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final Set<String> callerSerials = ConcurrentHashMap.newKeySet();
    private volatile Credentials svid;
    private volatile List<X509Certificate> roots;

    private DemoUpstream(
            String name, Credentials svid, SpiffeId id, Endpoint endpoint, X509Certificate root, SpiffeId onlyCaller) {
        this.name = name;
        this.id = id;
        this.svid = svid;
        this.roots = List.of(root);
        var tls = DemoTls.workload(() -> this.svid, () -> this.roots, onlyCaller);
        this.server = HttpServer.create()
                .host(endpoint.address())
                .port(endpoint.port())
                .runOn(endpoint.loops())
                .secure(spec -> spec.sslContext(tls))
                .doOnChannelInit((_, channel, _) ->
                        channel.pipeline().addAfter(NettyPipeline.SslHandler, "demo.bytes", new ByteCounter()))
                .handle(this::answer)
                .bindNow();
    }

    /**
     * Where an upstream listens.
     *
     * @param port 0 for any
     */
    public record Endpoint(String address, int port, LoopResources loops) {}

    /** Starts an upstream that is {@code id}, by the authority of {@code authority}. */
    public static DemoUpstream start(
            String name, SpiffeId id, Endpoint endpoint, DemoCertificateAuthority authority, SpiffeId onlyCaller) {
        return start(name, id, endpoint, authority.svid(id, Duration.ofHours(24)), authority.root(), onlyCaller);
    }

    /** Starts an upstream that is {@code id} by that SVID, and takes connections from who is the only caller by that root. */
    public static DemoUpstream start(
            String name, SpiffeId id, Endpoint endpoint, Credentials svid, X509Certificate root, SpiffeId onlyCaller) {
        return new DemoUpstream(name, svid, id, endpoint, root, onlyCaller);
    }

    public String name() {
        return name;
    }

    public SpiffeId id() {
        return id;
    }

    public int port() {
        return server.port();
    }

    /** How many requests have arrived. */
    public long requests() {
        return requests.get();
    }

    /** How many bytes have arrived inside of TLS, whether they made a request or not. */
    public long bytesReceived() {
        return bytes.get();
    }

    /** The serial numbers, in hexadecimal, of the certificates that callers have sent requests with. */
    public Set<String> callerSerials() {
        return Set.copyOf(callerSerials);
    }

    /** Shows another SVID from the next connection on. */
    public void present(Credentials renewed) {
        svid = renewed;
    }

    /** Judges callers by these roots from the next connection on. */
    public void trust(List<X509Certificate> authorities) {
        roots = List.copyOf(authorities);
    }

    @Override
    public void close() {
        server.disposeNow(Duration.ofSeconds(1));
    }

    private Publisher<Void> answer(HttpServerRequest request, HttpServerResponse response) {
        requests.incrementAndGet();
        var caller = new Caller[1];
        request.withConnection(connection -> caller[0] = caller(connection));
        return request.receive()
                .aggregate()
                .asByteArray()
                .map(body -> body.length)
                .defaultIfEmpty(0)
                .flatMap(length -> {
                    var seen = new LinkedHashMap<String, @Nullable Object>();
                    seen.put("upstream", name);
                    seen.put("spiffe_id", id.toString());
                    seen.put("caller", caller[0].id());
                    seen.put("caller_certificate", caller[0].serial());
                    seen.put("method", request.method().name());
                    seen.put("path", request.uri());
                    seen.put("headers", headers(request));
                    seen.put("body_bytes", length);
                    return response.header("Content-Type", "application/json")
                            .sendString(Mono.just(JSON.writeValueAsString(seen) + "\n"))
                            .then();
                });
    }

    private static Map<String, String> headers(HttpServerRequest request) {
        var headers = new TreeMap<String, String>(String.CASE_INSENSITIVE_ORDER);
        request.requestHeaders()
                .forEach(field -> headers.merge(field.getKey(), field.getValue(), (a, b) -> a + ", " + b));
        return headers;
    }

    private Caller caller(Connection connection) {
        try {
            var handler = connection.channel().pipeline().get(SslHandler.class);
            var leaf = (X509Certificate) handler.engine().getSession().getPeerCertificates()[0];
            var serial = leaf.getSerialNumber().toString(16);
            callerSerials.add(serial);
            return new Caller(String.valueOf(DemoTls.spiffeId(leaf)), serial);
        } catch (SSLPeerUnverifiedException | CertificateParsingException e) {
            throw new IllegalStateException("a caller without a certificate got through the handshake", e);
        }
    }

    private record Caller(String id, String serial) {}

    private final class ByteCounter extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof ByteBuf buffer) {
                bytes.addAndGet(buffer.readableBytes());
            }
            context.fireChannelRead(message);
        }
    }
}
