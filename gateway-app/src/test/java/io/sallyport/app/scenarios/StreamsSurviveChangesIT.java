// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.sallyport.app.scenarios.OpenStream.Kind;
import io.sallyport.app.scenarios.StreamingWorld.Way;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Long answers of every kind, on both ways forward, while the configuration, the gateway's SVID and its certificate change around
 * them. All of them deliver all the time. How many there are is set by system properties: {@code sallyport.streams}, {@code
 * sallyport.reloads} and {@code sallyport.rotations}.
 */
class StreamsSurviveChangesIT {
    private static final int STREAMS = Integer.getInteger("sallyport.streams", 200);

    /** Each takes two seconds: the file is looked at once a second, and has to have kept still for one. */
    private static final int RELOADS = Integer.getInteger("sallyport.reloads", 12);

    private static final int ROTATIONS = Integer.getInteger("sallyport.rotations", 4);

    /** Below the streams that the gateway allows one connection. */
    private static final int CALLS_PER_CONNECTION = 50;

    private static final List<Kind> KINDS = List.of(Kind.values());
    private static final List<Way> WAYS = List.of(Way.values());

    private static final String RELOADED = "sallyport_config_reloads_total{result=\"applied\"}";
    private static final String RENEWED =
            "sallyport_server_certificate_changes_total{port=\"listener\",result=\"renewed\"}";
    private static final String ROTATED = "sallyport_svid_rotations_total";

    @RegisterExtension
    static final StreamingWorld world = new StreamingWorld();

    private final List<ManagedChannel> connections = new ArrayList<>();
    private final List<OpenStream> streams = new ArrayList<>();
    private String original;

    @BeforeEach
    void open() throws Exception {
        original = Files.readString(world.parts().configuration());
        var token = world.token();
        Map<Kind, Integer> opened = new EnumMap<>(Kind.class);
        for (int i = 0; i < STREAMS; i++) {
            var kind = KINDS.get(i % KINDS.size());
            var way = WAYS.get(i / KINDS.size() % WAYS.size());
            int before = opened.merge(kind, 1, Integer::sum) - 1;
            if (kind == Kind.GRPC && before % CALLS_PER_CONNECTION == 0) {
                connections.add(world.connectForCalls());
            }
            streams.add(OpenStream.open(kind, way, world, token, connections.isEmpty() ? null : connections.getLast()));
        }
        int published = opened.get(Kind.EVENTS) + opened.get(Kind.DOWNLOAD);
        Patience.until("all listen", () -> world.upstream().listeners() == published);
    }

    @AfterEach
    void close() throws IOException {
        for (var stream : streams) {
            stream.close();
        }
        connections.forEach(ManagedChannel::shutdownNow);
    }

    @Test
    void reloads_and_rotations_end_none_of_them() throws Exception {
        try (var pulse = new Pulse()) {
            pulse.awaitWholeRound();
            double reloaded = world.metric(RELOADED);
            for (int i = 1; i <= RELOADS; i++) {
                double expected = reloaded + i;
                replaceFile(changed(i));
                if (i * ROTATIONS / RELOADS > (i - 1) * ROTATIONS / RELOADS) {
                    rotate();
                }
                Patience.until("reload " + i, () -> world.metric(RELOADED) >= expected);
            }
            // Longer than what was made under the last identity is kept.
            Thread.sleep(2_000);
            pulse.awaitWholeRound();

            assertThat(pulse.closed).as("ended").isEmpty();
            assertThat(world.metric(RELOADED) - reloaded).isEqualTo(RELOADS);
            assertThat(world.upstream().left()).isZero();
            assertThat(world.calls().cancelled()).isZero();
        }
    }

    private static void rotate() throws Exception {
        double rotated = world.metric(ROTATED);
        double renewed = world.metric(RENEWED);
        world.parts().rotateSvid();
        world.parts().renewServerCertificate();
        Patience.until("the new SVID is used", () -> world.metric(ROTATED) > rotated);
        Patience.until("the new certificate is shown", () -> world.metric(RENEWED) > renewed);
    }

    /** What concerns no stream: each time another route, a limit, or a rule of another route. */
    private String changed(int time) {
        return switch (time % 3) {
            case 0 -> original.replace("path: /status", "path: /status-" + time);
            case 1 -> original.replace("limit: 5, per: 10s", "limit: %d, per: 10s".formatted(5 + time));
            default ->
                original.replace(
                        "token.claims.tenant_id == path.tenant\"",
                        "token.claims.tenant_id == path.tenant && path.tenant != 'nobody-%d'\"".formatted(time));
        };
    }

    /** In one step, as an operator's tools do. */
    private static void replaceFile(String text) throws IOException {
        var file = world.parts().configuration();
        var edited = Files.writeString(file.resolveSibling("gateway.yaml.new"), text);
        Files.move(edited, file, StandardCopyOption.ATOMIC_MOVE);
    }

    @FunctionalInterface
    private interface Step {
        void take(OpenStream stream) throws Exception;
    }

    /** Has a word come through every stream, over and over. */
    private final class Pulse implements AutoCloseable {
        private final Queue<String> closed = new ConcurrentLinkedQueue<>();
        private final AtomicInteger rounds = new AtomicInteger();
        private final AtomicBoolean over = new AtomicBoolean();
        private final ExecutorService thread = Executors.newSingleThreadExecutor();
        private final List<OpenStream> alive = new ArrayList<>(streams);

        Pulse() {
            var _ = thread.submit(this::beat);
        }

        private void beat() {
            while (!over.get()) {
                var word = "round-" + rounds.get();
                each(stream -> stream.ask(word));
                try {
                    world.upstream().publish(word);
                } catch (InterruptedException | AssertionError e) {
                    closed.add("nothing published: " + e);
                    return;
                }
                each(stream -> stream.await(word));
                rounds.incrementAndGet();
            }
        }

        private void each(Step step) {
            alive.removeIf(stream -> {
                try {
                    step.take(stream);
                    return false;
                } catch (Exception e) {
                    closed.add("%s: %s".formatted(stream, e));
                    return true;
                }
            });
        }

        /** Waits for a round that begins after now; not if a stream has ended. */
        void awaitWholeRound() throws InterruptedException {
            int enough = rounds.get() + 2;
            Patience.until("another round", () -> rounds.get() >= enough || !closed.isEmpty());
        }

        @Override
        public void close() {
            over.set(true);
            thread.close();
        }
    }
}
