// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.sallyport.config.Findings;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Verdict;
import io.sallyport.edge.BodyLimit;
import io.sallyport.edge.EdgeConfig;
import io.sallyport.edge.EdgeSettings;
import io.sallyport.edge.HeadLimits;
import io.sallyport.edge.RouteTable;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.TestForwarders;
import io.sallyport.identity.ExpectedId;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.identity.TrustBundleSource;
import io.sallyport.ingress.Ingress;
import io.sallyport.pipeline.CanonicalPath;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.exchange.IngressHandler;
import io.sallyport.wire.listener.ConnectionListener;
import io.sallyport.wire.listener.IngressServerCustomizer;
import io.sallyport.wire.listener.InternalListenerConfig;
import io.sallyport.wire.listener.ListenerConfig;
import io.sallyport.wire.listener.ListenerConfigTest;
import io.sallyport.wire.shedding.LoadShedding;
import io.sallyport.workload.svid.SvidSource;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;
import reactor.blockhound.BlockHound;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.resources.LoopResources;

/**
 * A real server of Reactor Netty with the ingress handler on it, one stage that says what the test wants, and a forwarder of the
 * test's own. Collects the outcomes.
 */
public final class WireServer implements AutoCloseable {
    public static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");

    /** What one request came to. */
    public record Ended(RequestContext context, Outcome outcome) {}

    static {
        // Whatever blocks an event loop fails the request that it serves, and so the test.
        BlockHound.install(builder -> builder
                // Of /dev/urandom, which waits for nothing: the JDK's TLS refills its buffer once in a while.
                .allowBlockingCallsInside("sun.security.provider.NativePRNG$RandomIO", "readFully")
                // Netty's own lock, for as long as it takes to add an arena where threads allocate at the same moment.
                .allowBlockingCallsInside(
                        "io.netty.buffer.AdaptivePoolingAllocator$MagazineGroup", "tryExpandMagazines"));
    }

    /** Counts, as {@code flood} does. */
    public static final class Connections implements ConnectionListener {
        public final AtomicInteger open = new AtomicInteger();
        public final AtomicInteger accepted = new AtomicInteger();
        public volatile @Nullable String last;

        @Override
        public int opened(InetAddress peer) {
            last = peer.getHostAddress();
            accepted.incrementAndGet();
            return open.incrementAndGet();
        }

        @Override
        public void closed(InetAddress peer) {
            open.decrementAndGet();
        }
    }

    public final Connections connections = new Connections();
    public final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    // Without a lock, on which event loops would block each other.
    private final BlockingQueue<Ended> ended = new LinkedTransferQueue<>();
    private Function<RequestContext, Verdict> judge = _ -> Verdict.Pass.PASS;
    private Forwarder forwarder = TestForwarders.answering("forwarded");
    private Route route =
            Route.builder("orders", "localhost", Route.Kind.UPSTREAM).build();
    private boolean ready = true;
    private Duration bodyTimeout = Duration.ofSeconds(30);
    private Duration requestTimeout = Duration.ofSeconds(10);
    private ListenerConfig.@Nullable Tls tls;
    private TrustBundleSource bundles = () -> null;
    private @Nullable SvidSource identities;
    private List<ExpectedId> callers = List.of();
    private DataSize maxHeaders = DataSize.ofKilobytes(16);
    private int maxConnections = 100;
    private UnaryOperator<ListenerConfigTest.Listener> settings = UnaryOperator.identity();
    private @Nullable Ingress given;
    private @Nullable LoopResources loops;
    private @Nullable IngressHandler handler;
    private @Nullable IngressServerCustomizer customizer;
    private @Nullable DisposableServer server;

    public static WireServer denying(Denial denial) {
        return new WireServer().judging(_ -> new Verdict.Deny(denial));
    }

    /** Whatever judges and forwards, on those event loops if they are not null. */
    public static WireServer of(Ingress ingress, @Nullable LoopResources loops) {
        var server = new WireServer();
        server.given = ingress;
        server.loops = loops;
        return server.start();
    }

    public static WireServer permitting(Forwarder forwarder) {
        var server = new WireServer();
        server.forwarder = forwarder;
        return server;
    }

    public WireServer judging(Function<RequestContext, Verdict> judge) {
        this.judge = judge;
        return this;
    }

    public WireServer maxBody(DataSize maxBody) {
        return on(Route.builder("orders", "localhost", Route.Kind.UPSTREAM)
                .settings(StageName.EDGE, BodyLimit.of(maxBody))
                .build());
    }

    /** Every request is on that route. */
    public WireServer on(Route route) {
        this.route = route;
        return this;
    }

    public WireServer bodyTimeout(Duration bodyTimeout) {
        this.bodyTimeout = bodyTimeout;
        return this;
    }

    public WireServer requestTimeout(Duration requestTimeout) {
        this.requestTimeout = requestTimeout;
        return this;
    }

    public WireServer withoutSnapshot() {
        this.ready = false;
        return this;
    }

    public WireServer tls(ListenerConfig.Tls tls) {
        this.tls = tls;
        return this;
    }

    /** What certificates of clients are judged by. */
    public WireServer bundles(TrustBundleSource bundles) {
        this.bundles = bundles;
        return this;
    }

    /** The listener is the internal one. */
    public WireServer internal(SvidSource identities, String... callers) {
        this.identities = identities;
        this.callers = Arrays.stream(callers).map(ExpectedId::parse).toList();
        return this;
    }

    public WireServer maxConnections(int maxConnections) {
        this.maxConnections = maxConnections;
        return this;
    }

    public WireServer maxHeaders(DataSize maxHeaders) {
        this.maxHeaders = maxHeaders;
        return this;
    }

    public WireServer start() {
        var listener = listener();
        var snapshot = ready ? snapshot() : null;
        var handler = new IngressHandler(
                new LoadShedding(listener.shedding(), meters),
                given == null ? ingress() : given,
                () -> snapshot,
                InstantSource.fixed(NOW),
                listener.bodyTimeout(),
                listener.shutdownGrace(),
                listener.healthPath());
        this.handler = handler;
        customizer = customizer(listener, handler);
        server = customizer
                .apply(loops == null ? HttpServer.create() : HttpServer.create().runOn(loops))
                .handle((_, response) -> response.sendNotFound())
                .channelGroup(new DefaultChannelGroup(GlobalEventExecutor.INSTANCE))
                .bindNow();
        return this;
    }

    private IngressServerCustomizer customizer(ListenerConfig listener, IngressHandler handler) {
        var clock = InstantSource.fixed(NOW);
        if (identities == null) {
            return IngressServerCustomizer.of(listener, handler, connections, bundles, clock, meters);
        }
        var internal = new InternalListenerConfig("127.0.0.1", 0, callers);
        return IngressServerCustomizer.internal(internal, listener, handler, connections, identities, clock, meters);
    }

    /** A configuration without routes. */
    public static Snapshot snapshot() {
        var table = RouteTable.compile(List.of(), List.of(), new Findings().at(""));
        var edge = EdgeSettings.compile(
                new EdgeConfig(null, null, DataSize.ofMegabytes(1), List.of()),
                Objects.requireNonNull(table),
                List.of(),
                new HeadLimits(8_192, 16_384),
                IdentityHeaders.STANDARD);
        return new Snapshot("test", List.of(), Map.of(StageName.EDGE, edge));
    }

    private Ingress ingress() {
        Stage stage = new Stage() {
            @Override
            public StageName name() {
                return StageName.EDGE;
            }

            @Override
            public Verdict evaluate(RequestContext context) {
                var target = context.head().target();
                var path = target.startsWith("/") ? target.split("[?]", 2)[0] : "/";
                context.matched(route, new CanonicalPath(path), null, Map.of());
                return judge.apply(context);
            }
        };
        return new Ingress(
                new Pipeline(List.of(stage), (context, outcome) -> ended.add(new Ended(context, outcome))), forwarder);
    }

    /** Sets whatever there is no method for here. */
    public WireServer listening(UnaryOperator<ListenerConfigTest.Listener> settings) {
        this.settings = settings;
        return this;
    }

    private ListenerConfig listener() {
        return settings.apply(new ListenerConfigTest.Listener()
                        .address("127.0.0.1")
                        .port(0)
                        .tls(tls)
                        .insecurePlaintext(tls == null)
                        .maxHeaders(maxHeaders)
                        .maxConnections(maxConnections)
                        .requestTimeout(requestTimeout)
                        .bodyTimeout(bodyTimeout))
                .build();
    }

    public int port() {
        if (server == null) {
            throw new IllegalStateException("not started");
        }
        return server.port();
    }

    public IngressHandler handler() {
        return Objects.requireNonNull(handler, "not started");
    }

    public RawClient connect() throws IOException {
        return RawClient.connect(port());
    }

    /** The next outcome, which has to come. */
    public Outcome outcome() throws InterruptedException {
        return ended().outcome();
    }

    public Ended ended() throws InterruptedException {
        var next = ended.poll(10, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("no outcome");
        }
        return next;
    }

    /** The next outcome if one comes within that time. */
    @Nullable
    public Ended ended(Duration patience) throws InterruptedException {
        return ended.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Whether another outcome has been recorded; to be asked when everything has ended. */
    public boolean hasAnotherOutcome() {
        return !ended.isEmpty();
    }

    /** As a gateway does that stops: nobody new is let in, and who has nothing under way is left. */
    public void stop() {
        if (server != null) {
            server.disposeNow();
        }
    }

    @Override
    public void close() {
        stop();
        if (customizer != null) {
            customizer.close();
        }
    }
}
