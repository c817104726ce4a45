// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.sallyport.wire.exchange.IngressHandler;
import io.sallyport.wire.model.Packet.Wait;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/**
 * Sequences of requests over sockets, on both ways forward, against {@link ConnectionModel}. The long run: {@code
 * -Dsallyport.model.sequences=5000 -Dsallyport.model.requests=300}; one run again: {@code -Dsallyport.model.seed}.
 */
class ConnectionModelTest {
    private static final org.slf4j.Logger log = LoggerFactory.getLogger(ConnectionModelTest.class);

    private static final int SEQUENCES = Integer.getInteger("sallyport.model.sequences", 120);
    private static final int REQUESTS = Integer.getInteger("sallyport.model.requests", 20);

    /** How long nothing may come on a busy machine. */
    private static final Duration PATIENCE = Duration.ofMillis(Integer.getInteger("sallyport.model.patience", 10_000));

    private static final Duration PATIENCE_OF_SHRINKING = Duration.ofSeconds(2);
    private static final Duration SETTLING = Duration.ofMillis(20);
    private static final int AT_A_TIME = 16;
    private static final int SHRUNK = Integer.getInteger("sallyport.model.shrunk", 3);

    private static ModelGateway gateway;

    /** A sequence that does not go as it must. */
    private record Failure(long seed, Sequence sequence, String violation) {
        /** What is wrong, without what it is wrong with. */
        String kind() {
            return kindOf(violation);
        }

        static String kindOf(String violation) {
            return violation.split("[:\\n]", 2)[0].replaceAll("[0-9]+", "n");
        }
    }

    private static final ListAppender<ILoggingEvent> LOGGED = new ListAppender<>();

    @BeforeAll
    static void start() {
        LOGGED.start();
        ((Logger) LoggerFactory.getLogger(IngressHandler.class)).addAppender(LOGGED);
        gateway = ModelGateway.start();
    }

    @AfterAll
    static void stop() {
        ((Logger) LoggerFactory.getLogger(IngressHandler.class)).detachAppender(LOGGED);
        gateway.close();
    }

    // sequences that have failed

    static Stream<Arguments> sequencesThatHaveFailed() {
        var cases = new ArrayList<Arguments>();
        for (var p : List.of("POST", "filters")) {
            for (int n : new int[] {401, 403, 404, 204}) {
                cases.add(Arguments.of(
                        p + " and a " + n + " in one packet, a third 300 ms later",
                        Sequence.of(permitted(p), refused(n), permitted(p).after(300))));
                cases.add(Arguments.of(
                        p + " and a " + n + " in one packet, a plain GET 300 ms later",
                        Sequence.of(permitted(p), refused(n), Request.get().after(300))));
            }
            cases.add(Arguments.of(
                    p + ", 401, " + p + " and a malformed request line in one packet",
                    Sequence.of(permitted(p), refused(401), permitted(p), malformed())));
            cases.add(Arguments.of("129 " + p + " in one packet", Sequence.of(times(129, p))));
        }
        cases.add(Arguments.of("1,500 plain GET in one packet", Sequence.of(times(1_500, "GET"))));
        cases.add(
                Arguments.of("GET and a WebSocket in one packet", Sequence.of(permitted("GET"), Request.webSocket())));
        cases.add(Arguments.of(
                "an upgrade that is ignored, then a WebSocket",
                Sequence.of(Request.get().asking(Request.Upgrade.OTHER), Request.webSocket())));
        cases.add(Arguments.of(
                "half a head, then the client closes",
                Sequence.of(permitted("GET").cut(0.5, new Wait.Pause(0))).leaving(Sequence.Leaving.CLOSE, 1)));
        cases.add(Arguments.of(
                "POST and a large POST through filters in one packet",
                Sequence.of(
                        Request.post(36_365).throughFilters(),
                        Request.post(373).expecting(),
                        Request.chunked(68_462).throughFilters())));
        return cases.stream();
    }

    private static Request permitted(String kind) {
        return switch (kind) {
            case "POST" -> Request.post(5);
            case "filters" -> Request.get().throughFilters();
            default -> Request.get();
        };
    }

    private static Request refused(int status) {
        return status == 204 ? Request.preflight() : Request.get().refused(status);
    }

    private static Request malformed() {
        return Request.nonsense("GET  bad\r\n\r\n", 400);
    }

    private static Request[] times(int number, String kind) {
        return Stream.generate(() -> permitted(kind)).limit(number).toArray(Request[]::new);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("sequencesThatHaveFailed")
    void a_sequence_that_has_failed_does_not_fail(String name, Sequence sequence) throws Exception {
        assertThat(violationOf(sequence, PATIENCE_OF_SHRINKING)).as(name).isNull();
    }

    // random sequences

    @ParameterizedTest
    @MethodSource("seeds")
    void random_sequences_go_as_the_model_says(long seed) throws Exception {
        log.atInfo()
                .addKeyValue("seed", seed)
                .addKeyValue("sequences", SEQUENCES)
                .log("random sequences");
        var failures = new ArrayList<Failure>();
        try (var threads = Executors.newFixedThreadPool(AT_A_TIME)) {
            var results = new ArrayList<Future<@Nullable Failure>>();
            for (int i = 0; i < SEQUENCES; i++) {
                long each = seed + i;
                results.add(threads.submit(() -> play(each)));
            }
            for (var result : results) {
                var failure = result.get();
                if (failure != null) {
                    failures.add(failure);
                }
            }
        }
        assertThat(failures).withFailMessage(() -> report(seed, failures)).isEmpty();
    }

    private static @Nullable Failure play(long seed) throws IOException, InterruptedException {
        var sequence = Sequences.of(seed, REQUESTS);
        var violation = violationOf(sequence, PATIENCE);
        return violation == null ? null : new Failure(seed, sequence, violation);
    }

    static Stream<Long> seeds() {
        var seed = Long.getLong("sallyport.model.seed");
        return seed != null ? Stream.of(seed) : Stream.of(20_261_122L, new Random().nextLong(1L << 40));
    }

    /** How often what goes wrong, and the smallest sequence for each kind. */
    private static String report(long seed, List<Failure> failures) {
        var report = new StringBuilder("%d of %d sequences fail, seed %d".formatted(failures.size(), SEQUENCES, seed));
        var kinds = failures.stream().collect(Collectors.groupingBy(Failure::kind, TreeMap::new, Collectors.toList()));
        kinds.forEach((kind, each) ->
                report.append("\n  ").append(each.size()).append("  ").append(kind));
        kinds.values().stream()
                .limit(SHRUNK)
                .map(List::getFirst)
                .forEach(failure -> report.append("\n\nseed ")
                        .append(failure.seed)
                        .append(": ")
                        .append(shrunk(failure)));
        return report.toString();
    }

    private static String shrunk(Failure failure) {
        try {
            var sequence = failure.sequence;
            var violation = failure.violation;
            boolean smaller = true;
            while (smaller) {
                smaller = false;
                for (var candidate : smallerThan(sequence)) {
                    var found = violationOf(candidate, PATIENCE_OF_SHRINKING);
                    if (found != null && Failure.kindOf(found).equals(failure.kind())) {
                        sequence = candidate;
                        violation = found;
                        smaller = true;
                        break;
                    }
                }
            }
            return violation + "\n" + sequence;
        } catch (IOException e) {
            return failure.violation + "\n" + failure.sequence + "\n" + e;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return failure.violation;
        }
    }

    private static List<Sequence> smallerThan(Sequence sequence) {
        var candidates = new ArrayList<Sequence>();
        for (int number = sequence.requests().size() - 1; number >= 0; number--) {
            if (sequence.requests().size() > 1) {
                candidates.add(sequence.without(number));
            }
        }
        for (int number = 0; number < sequence.requests().size(); number++) {
            if (!sequence.joined(number).toString().equals(sequence.toString())) {
                candidates.add(sequence.joined(number));
            }
        }
        if (sequence.reading() != Sequence.Reading.AT_ONCE) {
            candidates.add(sequence.unhurried());
        }
        return candidates;
    }

    /** What is wrong with how that sequence goes, or null. */
    private static @Nullable String violationOf(Sequence sequence, Duration patience)
            throws IOException, InterruptedException {
        var run = gateway.begin(sequence);
        try {
            var client = SocketClient.play(gateway, run, patience);
            Thread.sleep(SETTLING);
            // Nothing may have come later, to the upstream or the record.
            client.checkAgain();
            return null;
        } catch (Violation violation) {
            return violation.getMessage();
        } finally {
            gateway.forget(run);
        }
    }
}
