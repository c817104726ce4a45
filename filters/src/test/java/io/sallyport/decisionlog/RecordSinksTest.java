// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decisionlog.file.FileConfig;
import io.sallyport.decisionlog.file.RotatingFile;
import io.sallyport.decisionlog.sink.RecordSink;
import io.sallyport.decisionlog.stdout.StandardOutput;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Outcome;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.unit.DataSize;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Each sink has its own queue: what one does to its records costs the other none of its own, and every count is exact. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RecordSinksTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Duration FLUSH = Duration.ofSeconds(10);
    private static final int MORE_THAN_A_QUEUE = 20_000;

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final MovableClock clock = new MovableClock(FakeRequest.NOW);
    private final Keeping other = new Keeping("other");

    @TempDir
    Path folder;

    @Test
    void a_sink_that_blocks_forever_costs_another_no_record_and_not_their_order() {
        var stuck = new Stuck();
        var log = log(Duration.ofMillis(200), stuck, other);

        refuse(log, MORE_THAN_A_QUEUE);
        awaitWritten(log, "other", MORE_THAN_A_QUEUE);
        log.close();

        assertThat(paths(other.lines)).isEqualTo(paths(MORE_THAN_A_QUEUE));
        assertThat(health(log, "other")).isEqualTo(new DecisionLog.SinkHealth("other", MORE_THAN_A_QUEUE, 0, 0, null));
        assertThat(counted("written", "other")).isEqualTo(MORE_THAN_A_QUEUE);
        assertThat(counted("dropped", "other")).isZero();
        // The one under way, those in the queue, and those that found no place in it.
        assertThat(health(log, "stuck").written()).isZero();
        assertThat(health(log, "stuck").dropped()).isEqualTo(MORE_THAN_A_QUEUE);
        assertThat(counted("dropped", "stuck")).isEqualTo(MORE_THAN_A_QUEUE);
    }

    @Test
    void a_record_that_its_sink_finishes_after_it_was_given_up_is_counted_once() throws Exception {
        var stuck = new Stuck();
        var log = log(Duration.ofMillis(200), stuck);
        refuse(log, 1);

        log.close();
        stuck.release.countDown();
        stuck.closed.await();

        assertThat(stuck.lines).hasSize(1);
        assertThat(health(log, "stuck").written() + health(log, "stuck").dropped())
                .isEqualTo(1);
    }

    @Test
    void what_finds_no_place_is_one_exact_count_as_soon_as_the_sink_goes_on() {
        var stuck = new Stuck();
        var log = log(FLUSH, stuck, other);

        refuse(log, MORE_THAN_A_QUEUE);
        stuck.release.countDown();
        log.close();

        assertThat(stuck.lines.size()).isLessThan(MORE_THAN_A_QUEUE);
        assertThat(sumOf(stuck.lines)).isEqualTo(MORE_THAN_A_QUEUE);
        assertThat(health(log, "stuck")).isEqualTo(new DecisionLog.SinkHealth("stuck", MORE_THAN_A_QUEUE, 0, 0, null));
        assertThat(stuck.lines.getLast().at("/event/id").asString()).endsWith("/overflow");
        assertThat(other.lines).hasSize(MORE_THAN_A_QUEUE).noneMatch(RecordSinksTest::standsForOthers);
    }

    @Test
    void a_sink_that_does_not_return_is_named_with_how_long_and_how_many_wait() throws Exception {
        var stuck = new Stuck();
        var log = log(Duration.ofMillis(200), stuck, other);
        refuse(log, 3);
        stuck.called.await();
        assertThat(health(log, "stuck").problem()).isNull();

        clock.advance(Duration.ofSeconds(10));

        assertThat(health(log, "stuck"))
                .isEqualTo(new DecisionLog.SinkHealth("stuck", 0, 0, 2, "has not returned for 10 s"));
        assertThat(log.health().writing()).isFalse();
        // It may be in the middle of its own.
        await().untilAsserted(() -> assertThat(health(log, "other").problem()).isNull());
        log.close();
    }

    @Test
    void a_sink_that_throws_each_time_loses_its_own_records_alone() {
        var broken = new Throwing("broken", Integer.MAX_VALUE);
        var log = log(FLUSH, broken, other);

        refuse(log, 1_000);
        log.close();

        assertThat(health(log, "broken")).isEqualTo(new DecisionLog.SinkHealth("broken", 0, 1_000, 0, "bug"));
        assertThat(paths(other.lines)).isEqualTo(paths(1_000));
        assertThat(health(log, "other").dropped()).isZero();
    }

    @Test
    void a_sink_that_throws_once_loses_one_record_and_recovers() {
        var hiccup = new Throwing("hiccup", 1);
        var log = log(FLUSH, hiccup, other);

        refuse(log, 1_000);
        log.close();

        assertThat(health(log, "hiccup")).isEqualTo(new DecisionLog.SinkHealth("hiccup", 999, 1, 0, null));
        assertThat(paths(hiccup.lines)).isEqualTo(paths(1_000).subList(1, 1_000));
        assertThat(other.lines).hasSize(1_000);
    }

    @Test
    void a_count_that_cannot_be_written_is_dropped_by_its_number() {
        var config = new DecisionLogConfig(DecisionLogConfig.Allowed.NONE, 100, true, null, 10, null);
        var log = new DecisionLog(
                config, meters, clock, "1.2.3", List.of(new Throwing("broken", Integer.MAX_VALUE), other), FLUSH);

        refuse(log, 1_000);
        log.close();

        assertThat(health(log, "broken").dropped()).isEqualTo(1_000);
        assertThat(other.lines).hasSize(2 * (10 + 1));
        assertThat(sumOf(other.lines)).isEqualTo(1_000);
    }

    @Test
    void every_sink_gets_the_same_lines_in_a_flood() {
        var second = new Keeping("second");
        var config = new DecisionLogConfig(DecisionLogConfig.Allowed.NONE, 100, true, null, 10, null);
        var log = new DecisionLog(config, meters, clock, "1.2.3", List.of(other, second), FLUSH);

        for (int minute = 0; minute < 3; minute++) {
            refuse(log, 500);
            clock.advance(Duration.ofMinutes(1));
        }
        log.close();

        assertThat(sumOf(other.lines)).isEqualTo(1_500);
        assertThat(second.lines).containsExactlyInAnyOrderElementsOf(other.lines);
    }

    @Test
    void at_the_end_each_sink_is_flushed_in_its_own_time() {
        var slow = new Keeping("slow") {
            @Override
            public void write(byte[] line) {
                LockSupport.parkNanos(Duration.ofMillis(2).toNanos());
                super.write(line);
            }
        };
        var log = log(Duration.ofSeconds(3), new Stuck(), slow, other);
        refuse(log, 300);
        long began = System.nanoTime();

        log.close();

        assertThat(slow.lines).hasSize(300);
        assertThat(slow.isClosed && other.isClosed).isTrue();
        assertThat(other.lines).hasSize(300);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(6));
    }

    @Test
    void refusals_that_come_while_the_log_is_closed_are_written_or_counted_as_dropped() throws Exception {
        for (int round = 0; round < 50; round++) {
            var registry = new SimpleMeterRegistry();
            var kept = new Keeping("kept");
            var config = new DecisionLogConfig(DecisionLogConfig.Allowed.NONE, 100, true, null, 10, null);
            var log = new DecisionLog(config, registry, clock, "1.2.3", List.of(kept), FLUSH);
            var threads = IntStream.range(0, 2)
                    .mapToObj(_ -> Thread.ofPlatform().start(() -> refuse(log, 200)))
                    .toList();
            log.close();
            for (var thread : threads) {
                thread.join();
            }

            var health = health(log, "kept");
            assertThat(health.written() + health.dropped()).isEqualTo(400);
            assertThat(sumOf(kept.lines)).isEqualTo(health.written());
        }
    }

    /** The two sinks that there are: a container's output that nobody reads any more, and a file. */
    @Test
    void a_reader_of_standard_output_that_stops_reading_costs_the_file_nothing() throws Exception {
        var file = folder.resolve("decisions.jsonl");
        // Closed only for reading: closing for writing would wait for the writer that is stuck.
        try (var unread = new PipedInputStream(1_024)) {
            var out = new PrintStream(new PipedOutputStream(unread), true, UTF_8);
            var log = log(
                    Duration.ofMillis(500),
                    new StandardOutput(out),
                    new RotatingFile(new FileConfig(file, DataSize.ofMegabytes(64), 8), clock));

            refuse(log, MORE_THAN_A_QUEUE);
            awaitWritten(log, "file", MORE_THAN_A_QUEUE);
            log.close();

            assertThat(paths(Files.readAllLines(file).stream()
                            .map(JSON::readTree)
                            .toList()))
                    .isEqualTo(paths(MORE_THAN_A_QUEUE));
            assertThat(health(log, "file"))
                    .isEqualTo(new DecisionLog.SinkHealth("file", MORE_THAN_A_QUEUE, 0, 0, null));
            var stdout = health(log, "stdout");
            assertThat(stdout.written() + stdout.dropped()).isEqualTo(MORE_THAN_A_QUEUE);
            assertThat(stdout.written()).isLessThan(10);
        }
    }

    private DecisionLog log(Duration longestFlush, RecordSink... sinks) {
        // So many one by one that nothing collapses before the queues.
        var config = new DecisionLogConfig(DecisionLogConfig.Allowed.NONE, 100, true, null, 10_000, null);
        return new DecisionLog(config, meters, clock, "1.2.3", List.of(sinks), longestFlush);
    }

    /** So many refusals of two callers, each with a path of its own, no faster than the sink that does take them. */
    private static void refuse(DecisionLog log, int count) {
        var refused = new Outcome.Refused(new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED));
        for (int i = 0; i < count; i++) {
            var caller = FakeRequest.get("/" + i).from("192.0.2." + (1 + i % 2));
            log.onOutcome(caller.context(), refused);
            if (i % 1_000 == 0) {
                awaitRoom(log);
            }
        }
    }

    private static void awaitRoom(DecisionLog log) {
        while (log.health().sinks().stream().allMatch(sink -> sink.queued() > 2_000)) {
            LockSupport.parkNanos(100_000);
        }
    }

    private static void awaitWritten(DecisionLog log, String sink, long count) {
        while (health(log, sink).written() < count) {
            LockSupport.parkNanos(100_000);
        }
    }

    private double counted(String what, String sink) {
        return meters.get("sallyport.denial.log." + what)
                .tag("sink", sink)
                .counter()
                .count();
    }

    private static DecisionLog.SinkHealth health(DecisionLog log, String sink) {
        return log.health().sinks().stream()
                .filter(each -> each.name().equals(sink))
                .findFirst()
                .orElseThrow();
    }

    private static List<String> paths(int count) {
        return IntStream.range(0, count).mapToObj(i -> "/" + i).toList();
    }

    private static List<String> paths(List<JsonNode> lines) {
        return lines.stream().map(line -> line.at("/url/path").asString()).toList();
    }

    private static boolean standsForOthers(JsonNode line) {
        return !line.at("/sallyport/repeat_count").isMissingNode();
    }

    private static long sumOf(List<JsonNode> lines) {
        return lines.stream()
                .mapToLong(line -> line.at("/sallyport/repeat_count").asLong(1))
                .sum();
    }

    /** Keeps lines. */
    private static class Keeping implements RecordSink {
        final List<JsonNode> lines = Collections.synchronizedList(new ArrayList<>());
        private final String name;
        volatile boolean isClosed;

        Keeping(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void write(byte[] line) {
            lines.add(JSON.readTree(new String(line, UTF_8)));
        }

        @Override
        public void sync() {}

        @Override
        public void close() {
            isClosed = true;
        }
    }

    /** Blocks in its first call, until it is released. */
    private static final class Stuck extends Keeping {
        private final CountDownLatch called = new CountDownLatch(1);
        private final CountDownLatch release = new CountDownLatch(1);
        private final CountDownLatch closed = new CountDownLatch(1);

        Stuck() {
            super("stuck");
        }

        @Override
        public void write(byte[] line) {
            called.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            super.write(line);
        }

        @Override
        public void close() {
            super.close();
            closed.countDown();
        }
    }

    /** Throws what a bug throws: no checked exception, and an Error too. */
    private static final class Throwing extends Keeping {
        private int left;

        Throwing(String name, int times) {
            super(name);
            this.left = times;
        }

        @Override
        public void write(byte[] line) {
            if (left > 0) {
                left--;
                throw left % 2 == 0 ? new UncheckedIOException("bug", new IOException()) : newError();
            }
            super.write(line);
        }

        private static RuntimeException newError() {
            throw new StackOverflowError("bug");
        }
    }
}
