// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.WriteBufferWaterMark;
import io.sallyport.decision.Verdict;
import io.sallyport.edge.HeadLimits;
import io.sallyport.ingress.Ingress;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.wire.WireServer;
import io.sallyport.wire.answer.LocalForwarder;
import io.sallyport.wire.exchange.IngressHandler;
import io.sallyport.wire.exchange.PermitForwarder;
import io.sallyport.wire.http1.Http1Connection;
import io.sallyport.wire.shedding.LoadShedding;
import io.sallyport.wire.shedding.SheddingConfig;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * All that serves HTTP/1.1 behind accepting and TLS, for one connection at a time, on whatever thread runs it. Upstreams are a {@link
 * ScriptedForwarder}; buffers are counted.
 */
final class EmbeddedGateway {
    static final Duration SHUTDOWN_GRACE = Duration.ofSeconds(20);

    private static final int NO_PORT = 1;
    private static final int CLIENT_PORT = 50_000;
    private static final HeadLimits LIMITS = new HeadLimits(8_192, 16_384);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration BODY_TIMEOUT = Duration.ofSeconds(30);
    private static final String LAST = "last";

    final Runs runs = new Runs();
    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);
    final ScriptedForwarder upstream = new ScriptedForwarder(runs, allocator);

    /** Verdicts that somebody waits for. */
    final ArrayDeque<Runnable> verdicts = new ArrayDeque<>();

    private final IngressHandler handler;
    private long bytesBefore;

    EmbeddedGateway() {
        var snapshot = WireServer.snapshot();
        var stage = new ScriptedStage(runs, NO_PORT, this::later);
        handler = new IngressHandler(
                new LoadShedding(new SheddingConfig(Duration.ofMinutes(1), 100), new SimpleMeterRegistry()),
                new Ingress(
                        new Pipeline(List.of(stage), runs),
                        new PermitForwarder(new LocalForwarder(() -> new byte[0]), upstream, upstream)),
                () -> snapshot,
                InstantSource.fixed(WireServer.NOW),
                BODY_TIMEOUT,
                SHUTDOWN_GRACE,
                null);
    }

    private Mono<Verdict.Settled> later(Mono<Verdict.Settled> verdict) {
        return Mono.<Verdict.Settled>create(asked -> verdicts.add(() -> asked.success(verdict.block())));
    }

    /** Opens a connection for that run, with nothing left of the one before. */
    EmbeddedConnection connect(Run run, int room, WriteBufferWaterMark marks, Random random) {
        upstream.begin(random);
        verdicts.clear();
        bytesBefore = bytes();
        runs.connected(run, CLIENT_PORT);
        var connection =
                new EmbeddedConnection(CLIENT_PORT, room, marks, allocator, new ChannelInboundHandlerAdapter(), LAST);
        Http1Connection.install(connection.pipeline(), LAST, handler, LIMITS, REQUEST_TIMEOUT);
        return connection;
    }

    /** What is left of a connection that has ended, and must not be; null if nothing is. */
    @Nullable
    String leftover() {
        if (handler.isAnswering()) {
            return "an exchange stays open behind its connection";
        }
        return bytes() == bytesBefore ? null : "%d bytes of buffers are not released".formatted(bytes() - bytesBefore);
    }

    private long bytes() {
        return allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory();
    }
}
