// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.sallyport.app.scenarios.OpenStream.Kind;
import io.sallyport.app.scenarios.StreamingWorld.Way;
import io.sallyport.decision.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a process that is sent SIGTERM does with answers that are under way, of every kind and on both ways forward. */
class OpenStreamsEndWithTheGatewayIT {
    /** Half of shutdown-grace, which is for answers that are under way: the rest of a stop, on a machine that has much else to do. */
    private static final Duration SOON = Duration.ofSeconds(10);

    private static final int ENDED_BY_SIGTERM = 143;

    @RegisterExtension
    static final StreamingWorld world = StreamingWorld.withProcess();

    private final List<OpenStream> opened = new ArrayList<>();
    private ManagedChannel calls;
    private String token;

    @AfterEach
    void disconnect() throws IOException {
        for (var stream : opened) {
            stream.close();
        }
        calls.shutdownNow();
    }

    @Test
    void streams_end_at_once_as_their_protocols_say_with_a_reason_of_their_own() throws Exception {
        start("20s");
        var streams = openStreams();

        var began = System.nanoTime();
        world.terminate();
        assertStreamsEndInOrder(streams);
        int code = world.awaitEnd();

        assertThat(since(began)).as("the stop").isLessThan(SOON);
        assertThat(code).isEqualTo(ENDED_BY_SIGTERM);
        assertThat(reasonsOf(streams)).containsOnly(Reason.FORWARD_GATEWAY_STOPPED.code());
        assertNoError();
    }

    @Test
    void downloads_are_completed_and_the_process_ends_behind_the_last_of_them() throws Exception {
        start("20s");
        var streams = openStreams();
        var began = System.nanoTime();
        var downloads = new ArrayList<OpenStream>();
        for (var way : Way.values()) {
            downloads.add(remember(OpenStream.openShort(way, world, token)));
        }

        world.terminate();
        assertStreamsEndInOrder(streams);
        for (var download : downloads) {
            assertThat(download.end()).isEqualTo(OpenStream.COMPLETE);
        }
        var completed = System.nanoTime();
        world.awaitEnd();

        assertThat(since(began)).isGreaterThan(StreamingUpstream.PAUSE);
        assertThat(since(completed)).as("what the stop took behind them").isLessThan(SOON);
        assertThat(reasonsOf(streams)).containsOnly(Reason.FORWARD_GATEWAY_STOPPED.code());
        for (var download : downloads) {
            assertThat(world.recordOf(download.requestId()).field("event.outcome"))
                    .isEqualTo("success");
        }
        assertNoError();
    }

    @Test
    void one_that_has_no_end_is_broken_off_after_the_grace_with_the_same_reason() throws Exception {
        start("2s");
        var downloads = new ArrayList<OpenStream>();
        for (var way : Way.values()) {
            downloads.add(remember(OpenStream.open(Kind.DOWNLOAD, way, world, token, calls)));
        }

        var began = System.nanoTime();
        world.terminate();
        for (var download : downloads) {
            assertThat(download.end()).isEqualTo("broken off");
        }
        assertThat(since(began)).isGreaterThan(Duration.ofSeconds(1));
        world.awaitEnd();

        assertThat(reasonsOf(downloads)).containsOnly(Reason.FORWARD_GATEWAY_STOPPED.code());
        assertNoError();
    }

    private void start(String grace) throws IOException, InterruptedException {
        world.start(text -> text.replace("  listener:\n", "  listener:\n    shutdown-grace: %s\n".formatted(grace)));
        token = world.token();
        calls = world.connectForCalls();
    }

    private List<OpenStream> openStreams() throws IOException, InterruptedException {
        var streams = new ArrayList<OpenStream>();
        for (var way : Way.values()) {
            for (var kind : List.of(Kind.WEB_SOCKET, Kind.EVENTS, Kind.GRPC)) {
                streams.add(remember(OpenStream.open(kind, way, world, token, calls)));
            }
        }
        return streams;
    }

    private OpenStream remember(OpenStream stream) {
        opened.add(stream);
        return stream;
    }

    private static void assertStreamsEndInOrder(List<OpenStream> streams) throws IOException, InterruptedException {
        for (var stream : streams) {
            assertThat(stream.end())
                    .isEqualTo(
                            switch (stream) {
                                case OpenStream.Socket _ -> "1001";
                                case OpenStream.Pieces _ -> OpenStream.COMPLETE;
                                case OpenStream.Call _ -> "UNAVAILABLE";
                            });
        }
    }

    private static List<String> reasonsOf(List<OpenStream> streams) throws IOException, InterruptedException {
        var reasons = new ArrayList<String>();
        for (var stream : streams) {
            reasons.add(world.recordOf(stream.requestId()).field("event.reason"));
        }
        return reasons;
    }

    private static void assertNoError() throws IOException {
        assertThat(Files.readAllLines(world.log())).noneMatch(line -> line.contains("ERROR"));
    }

    private static Duration since(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos);
    }
}
