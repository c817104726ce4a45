// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.sallyport.app.demo.Credentials;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.http.server.HttpServerRoutes;
import reactor.netty.http.server.WebsocketServerSpec;
import reactor.netty.http.websocket.WebsocketInbound;
import reactor.netty.http.websocket.WebsocketOutbound;

/**
 * A workload whose answers last: a library's WebSockets, event streams and downloads, over mutual TLS. What it does, the end of the path says.
 */
final class StreamingUpstream implements AutoCloseable {
    /** Longer than the time-outs of the listener in front of it. */
    static final Duration PAUSE = Duration.ofMillis(2_500);

    /** Of each line of a download. */
    private static final String FILLING = ".".repeat(2_000);

    private static final WebsocketServerSpec SPEC =
            WebsocketServerSpec.builder().maxFramePayloadLength(1 << 20).build();

    /** A server with protocols serves no client without. */
    private static final WebsocketServerSpec CHAT =
            WebsocketServerSpec.builder().protocols("chat").build();

    private final DisposableServer server;
    private final Sinks.Many<String> events = Sinks.many().multicast().directBestEffort();
    private final Semaphore left = new Semaphore(0);

    private StreamingUpstream(SslContext tls) {
        this.server = HttpServer.create()
                .host("127.0.0.1")
                .port(0)
                .secure(spec -> spec.sslContext(tls))
                .route(this::routes)
                .bindNow();
    }

    static StreamingUpstream start(Credentials svid, X509Certificate root) {
        try {
            return new StreamingUpstream(SslContextBuilder.forServer(svid.key(), svid.chain())
                    .trustManager(root)
                    .clientAuth(ClientAuth.REQUIRE)
                    .build());
        } catch (SSLException e) {
            throw new IllegalStateException("cannot serve mutual TLS", e);
        }
    }

    int port() {
        return server.port();
    }

    /** Sends one event to everybody who listens; waits until somebody does. */
    void publish(String event) throws InterruptedException {
        Patience.until("somebody listens", () -> events.tryEmitNext(event).isSuccess());
    }

    /** How many answers get what is published. */
    int listeners() {
        return events.currentSubscriberCount();
    }

    /** How many of its WebSockets, event streams and downloads have ended, and were not waited for. */
    int left() {
        return left.availablePermits();
    }

    /** Waits until one more of them has ended. */
    void awaitOneLeft() throws InterruptedException {
        if (!left.tryAcquire(20, TimeUnit.SECONDS)) {
            throw new AssertionError("nobody left");
        }
    }

    private void routes(HttpServerRoutes routes) {
        routes.ws("/{way}/socket/echo", this::echo, SPEC)
                .ws("/{way}/socket/chat", this::echo, CHAT)
                .ws(
                        "/{way}/socket/slow",
                        (_, out) -> out.sendString(Mono.just("late").delayElement(PAUSE)),
                        SPEC)
                .ws("/{way}/socket/close", (_, out) -> out.sendClose(4321, "enough"), SPEC)
                .ws("/{way}/socket/vanish", StreamingUpstream::vanish, SPEC)
                .get(
                        "/{way}/socket/refuse",
                        (_, response) -> response.status(403).sendString(Mono.just("not you")))
                .get("/{way}/events/live", this::live)
                .get("/{way}/events/slow", StreamingUpstream::slow)
                .get("/{way}/download/live", this::liveDownload)
                .get("/{way}/download/slow", StreamingUpstream::slowDownload);
    }

    private Publisher<Void> echo(WebsocketInbound in, WebsocketOutbound out) {
        in.withConnection(connection -> connection.onDispose(left::release));
        return out.sendObject(in.receiveFrames().map(WebSocketFrame::retain));
    }

    private static Publisher<Void> vanish(WebsocketInbound in, WebsocketOutbound out) {
        return in.receive()
                .take(1)
                .doOnNext(_ -> in.withConnection(connection -> {
                    var _ = connection.channel().close();
                }))
                .then();
    }

    private Publisher<Void> live(HttpServerRequest request, HttpServerResponse response) {
        request.withConnection(connection -> connection.onDispose(left::release));
        return events(response, Flux.concat(Mono.just("hello"), events.asFlux()));
    }

    private static Publisher<Void> slow(HttpServerRequest request, HttpServerResponse response) {
        return events(
                response, Flux.concat(Mono.just("hello"), Mono.just("late").delayElement(PAUSE)));
    }

    private static Publisher<Void> events(HttpServerResponse response, Flux<String> events) {
        var allocator = response.alloc();
        return response.sse()
                .send(
                        events.map(event -> allocator.buffer().writeBytes(("data: " + event + "\n\n").getBytes(UTF_8))),
                        _ -> true);
    }

    private Publisher<Void> liveDownload(HttpServerRequest request, HttpServerResponse response) {
        request.withConnection(connection -> connection.onDispose(left::release));
        return lines(response, Flux.concat(Mono.just("hello"), events.asFlux()));
    }

    private static Publisher<Void> slowDownload(HttpServerRequest request, HttpServerResponse response) {
        return lines(response, Flux.concat(Mono.just("hello"), Mono.just("late").delayElement(PAUSE)));
    }

    /** In chunks, for nobody knows how many there will be. */
    private static Publisher<Void> lines(HttpServerResponse response, Flux<String> lines) {
        var allocator = response.alloc();
        return response.header("Content-Type", "application/octet-stream")
                .send(
                        lines.map(line -> allocator.buffer().writeBytes((FILLING + line + "\n").getBytes(UTF_8))),
                        _ -> true);
    }

    @Override
    public void close() {
        server.disposeNow(Duration.ofSeconds(1));
    }
}
