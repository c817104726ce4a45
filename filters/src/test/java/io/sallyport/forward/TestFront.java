// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.CanonicalPath;
import io.sallyport.pipeline.ClientAddress;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.TlsConnection;
import io.sallyport.pipeline.UpstreamLease;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;
import reactor.netty.Connection;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.resources.LoopResources;

/**
 * A real HTTP server in front of a forwarder: mints a real permit for every request, and writes down how each one ended. What
 * the wire package does beyond that is left out.
 */
public final class TestFront implements AutoCloseable {
    /** How one request ended. */
    public record End(SignalType signal, @Nullable Throwable error, List<String> lease) {

        /** Why it failed, or null if it did not, or the client did. */
        public @Nullable Reason reason() {
            return error instanceof ForwardFailure failure ? failure.denial().reason() : null;
        }

        /** What the record of the failure shows; nothing if it did not fail, or the client did. */
        public Map<Evidence.Key, String> evidence() {
            return error instanceof ForwardFailure failure
                    ? failure.denial().evidence().values()
                    : Map.of();
        }
    }

    private static final Logger log = LoggerFactory.getLogger(TestFront.class);

    private final Forwarder forwarder;
    private final Function<String, Route> routes;
    private final DisposableServer server;
    private final TestSwitchable switchable = new TestSwitchable();
    private final BlockingQueue<End> ends = new LinkedBlockingQueue<>();
    private volatile Principal principal = Principal.Anonymous.ANONYMOUS;
    private volatile Consumer<RequestContext> facts = _ -> {};

    private TestFront(Forwarder forwarder, Function<String, Route> routes, HttpServer server) {
        this.forwarder = forwarder;
        this.routes = routes;
        this.server = server.host("127.0.0.1")
                .port(0)
                .doOnChannelInit((_, channel, _) ->
                        channel.attr(SwitchableConnection.KEY).set(switchable))
                .handle(this::handle)
                .bindNow();
    }

    /** Forwards each request on the route of its first path segment. */
    public static TestFront of(Forwarder forwarder, Function<String, Route> routes) {
        return new TestFront(forwarder, routes, HttpServer.create());
    }

    /** All of whose requests are on one event loop. */
    public static TestFront on(LoopResources oneLoop, Forwarder forwarder, Route route) {
        return new TestFront(forwarder, _ -> route, HttpServer.create().runOn(oneLoop));
    }

    public static TestFront of(Forwarder forwarder, Route route) {
        return of(forwarder, _ -> route);
    }

    /** Straight from the exchange to the wire, without filters. */
    public static Forwarder direct(UpstreamExchange exchange) {
        return (permit, request, response) -> {
            permit.redeem();
            var query = permit.context().query();
            var target = permit.path().value() + (query == null ? "" : "?" + query);
            return exchange.send(
                            permit, request, target, permit.context().head().headers())
                    .flatMap(answer -> answer.writeTo(response, answer.status(), answer.headers()));
        };
    }

    /** A route whose plan is that target, without filters. */
    public static Route route(String name, UpstreamTarget target) {
        return route(name, target, new StreamLimit(Duration.ofHours(1), Duration.ZERO));
    }

    public static Route route(String name, UpstreamTarget target, StreamLimit stream) {
        return route(name, target, stream, null);
    }

    public static Route route(
            String name, UpstreamTarget target, StreamLimit stream, @Nullable WebSocketPlan webSocket) {
        return Route.builder(name, "api.example.org", Route.Kind.UPSTREAM)
                .settings(
                        io.sallyport.pipeline.StageName.FORWARD,
                        new ForwardPlan(target, RouteFilters.NONE, null, stream, webSocket))
                .build();
    }

    /** Whoever comes from now on is this one. */
    public TestFront as(Principal principal) {
        this.principal = principal;
        return this;
    }

    /** What stages would have found out. */
    public TestFront knowing(Consumer<RequestContext> facts) {
        this.facts = facts;
        return this;
    }

    public int port() {
        return server.port();
    }

    public String uri(String pathAndQuery) {
        return "http://127.0.0.1:" + port() + pathAndQuery;
    }

    /** How the next request ended; waits for it. */
    public End nextEnd() throws InterruptedException {
        return Objects.requireNonNull(ends.poll(20, TimeUnit.SECONDS), "no request ended within 20 s");
    }

    @Override
    public void close() {
        server.disposeNow();
    }

    private Publisher<Void> handle(HttpServerRequest request, HttpServerResponse response) {
        var lease = new RecordingLease();
        var context = new RequestContext(
                new Head(request),
                new Snapshot("test", List.of(), Map.of()),
                UUID.fromString("019a0000-0000-7000-8000-000000000001"),
                FakeRequest.NOW,
                0L,
                ((Connection) request).channel().eventLoop());
        var target = request.uri();
        int query = target.indexOf('?');
        var path = query < 0 ? target : target.substring(0, query);
        var segment = path.split("/", 3)[1];
        context.client(new ClientAddress(
                Objects.requireNonNull(request.remoteAddress()).getAddress(), false));
        context.matched(
                routes.apply(segment),
                new CanonicalPath(path),
                query < 0 ? null : target.substring(query + 1),
                Map.of("tenant", segment));
        context.principal(principal);
        context.lease(lease);
        facts.accept(context);
        var pipeline = new Pipeline(List.of(), (_, _) -> {});
        if (!(pipeline.admit(context) instanceof Admission.Permitted(Permit permit))) {
            throw new AssertionError("no permit");
        }
        return forwarder
                .forward(permit, request, response)
                .doOnError(error -> end(SignalType.ON_ERROR, error, pipeline, context, lease))
                .doOnSuccess(_ -> end(SignalType.ON_COMPLETE, null, pipeline, context, lease))
                .doOnCancel(() -> end(SignalType.CANCEL, null, pipeline, context, lease))
                .onErrorResume(error -> refuse(error, request, response));
    }

    private void end(
            SignalType signal,
            @Nullable Throwable error,
            Pipeline pipeline,
            RequestContext context,
            RecordingLease lease) {
        pipeline.conclude(context, new Outcome.Answered(200));
        ends.add(new End(signal, error, lease.calls()));
    }

    private static Mono<Void> refuse(Throwable error, HttpServerRequest request, HttpServerResponse response) {
        if (response.hasSentHeaders() || !(error instanceof ForwardFailure failure)) {
            if (!(error instanceof ForwardFailure)) {
                log.atWarn().setCause(error).log("an exchange ends without an answer");
            }
            var _ = ((Connection) request).channel().close();
            return Mono.empty();
        }
        return response.status(HttpResponseStatus.valueOf(failure.denial().status()))
                .header("reason", failure.denial().reason().code())
                .send();
    }

    /** Clients that send on after their request do so in front of the wire package, not here. */
    private static final class TestSwitchable implements SwitchableConnection {
        @Override
        public boolean awaitSwitch(Runnable wentOn) {
            return true;
        }

        @Override
        public void leaveHttp(Channel connection) {}
    }

    private record Head(HttpServerRequest request) implements RequestHead {
        @Override
        public HttpMethod method() {
            return request.method();
        }

        @Override
        public String target() {
            return request.uri();
        }

        @Override
        public HttpHeaders headers() {
            return request.requestHeaders();
        }

        @Override
        public boolean isHttp2() {
            return false;
        }

        @Override
        public InetSocketAddress peerAddress() {
            return Objects.requireNonNull(request.remoteAddress());
        }

        @Override
        public @Nullable TlsConnection tls() {
            return null;
        }
    }

    private static final class RecordingLease implements UpstreamLease {
        private final List<String> calls = new java.util.ArrayList<>();

        synchronized List<String> calls() {
            return List.copyOf(calls);
        }

        @Override
        public synchronized void answered(int status) {
            calls.add("answered " + status);
        }

        @Override
        public synchronized void lasting() {
            calls.add("lasting");
        }

        @Override
        public synchronized void failed(Throwable cause) {
            calls.add("failed");
        }

        @Override
        public synchronized void abandoned() {
            calls.add("abandoned");
        }
    }
}
