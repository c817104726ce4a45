// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs many random sequences, and for each kind of thing that goes wrong finds the smallest sequence that shows it. */
final class RandomSequences {
    private static final Logger log = LoggerFactory.getLogger(RandomSequences.class);

    private static final int MOST_FAILURES = 1_000;
    private static final Duration LONGEST_SHRINKING = Duration.ofSeconds(10);
    private static final int SHRUNK = Integer.getInteger("sallyport.model.shrunk", 5);

    /** Runs one sequence at a time. */
    @FunctionalInterface
    interface Player {
        /**
         * Returns what is wrong with how the sequence goes, or null.
         *
         * @param seed of whatever the sequence leaves open
         */
        @Nullable
        String violationOf(Sequence sequence, long seed);
    }

    private record Failure(long seed, Sequence sequence, String violation) {
        /** What is wrong, without what it is wrong with. */
        String kind() {
            return kindOf(violation);
        }

        static String kindOf(String violation) {
            return violation.split("[:\\n]", 2)[0].replaceAll("[0-9]+", "n");
        }
    }

    private final LongFunction<Sequence> sequences;
    private final Supplier<Player> players;

    /**
     * @param sequences the sequence of each seed
     * @param players makes what runs them, for each thread
     */
    RandomSequences(LongFunction<Sequence> sequences, Supplier<Player> players) {
        this.sequences = sequences;
        this.players = players;
    }

    /** One that is always the same and one that never is; or the one that was asked for. */
    static Stream<Long> seeds() {
        var seed = Long.getLong("sallyport.model.seed");
        return seed != null ? Stream.of(seed) : Stream.of(20_261_122L, new Random().nextLong(1L << 40));
    }

    /** Fails if anything goes wrong in one of them, and prints the seed in any case. */
    void run(long seed, int number, int threads) throws InterruptedException {
        log.atInfo().addKeyValue("seed", seed).addKeyValue("sequences", number).log("random sequences");
        long began = System.nanoTime();
        var next = new AtomicInteger();
        var requests = new AtomicLong();
        var failures = new ConcurrentLinkedQueue<Failure>();
        var running = new ArrayList<Thread>();
        for (int i = 0; i < threads; i++) {
            running.add(Thread.ofPlatform().start(() -> {
                var player = players.get();
                for (int each = next.getAndIncrement();
                        each < number && failures.size() < MOST_FAILURES;
                        each = next.getAndIncrement()) {
                    var sequence = sequences.apply(seed + each);
                    requests.addAndGet(sequence.requests().size());
                    var violation = violationOf(player, sequence, seed + each);
                    if (violation != null) {
                        failures.add(new Failure(seed + each, sequence, violation));
                    }
                }
            }));
        }
        for (var thread : running) {
            thread.join();
        }
        log.atInfo()
                .addKeyValue("seed", seed)
                .addKeyValue("sequences", Math.min(number, next.get()))
                .addKeyValue("requests", requests)
                .addKeyValue("failed", failures.size())
                .addKeyValue("seconds", (System.nanoTime() - began) / 1_000_000_000L)
                .log("random sequences have run");
        assertThat(failures)
                .withFailMessage(() -> report(seed, number, List.copyOf(failures)))
                .isEmpty();
    }

    private static @Nullable String violationOf(Player player, Sequence sequence, long seed) {
        try {
            return player.violationOf(sequence, seed);
        } catch (RuntimeException | AssertionError e) {
            var where = e.getStackTrace();
            return "thrown, " + e + (where.length == 0 ? "" : " at " + where[0]);
        }
    }

    /** How often what goes wrong, and the smallest sequence for each kind. */
    private String report(long seed, int number, List<Failure> failures) {
        var report = new StringBuilder("%d of %d sequences fail, seed %d".formatted(failures.size(), number, seed));
        var kinds = failures.stream().collect(Collectors.groupingBy(Failure::kind, TreeMap::new, Collectors.toList()));
        kinds.forEach((kind, each) ->
                report.append("\n  ").append(each.size()).append("  ").append(kind));
        kinds.values().stream()
                .limit(SHRUNK)
                .map(each -> each.stream()
                        .min(Comparator.comparingInt(
                                failure -> failure.sequence.requests().size()))
                        .orElseThrow())
                .forEach(failure -> report.append("\n\nseed ")
                        .append(failure.seed)
                        .append(": ")
                        .append(shrunk(failure)));
        return report.toString();
    }

    private String shrunk(Failure failure) {
        var player = players.get();
        var smallest = failure;
        long until = System.nanoTime() + LONGEST_SHRINKING.toNanos();
        boolean smaller = true;
        while (smaller) {
            smaller = false;
            for (var candidate : smallest.sequence.smaller()) {
                if (System.nanoTime() > until) {
                    break;
                }
                var found = violationOf(player, candidate, failure.seed);
                if (found != null && Failure.kindOf(found).equals(failure.kind())) {
                    smallest = new Failure(failure.seed, candidate, found);
                    smaller = true;
                    break;
                }
            }
        }
        return smallest.violation + "\n" + smallest.sequence;
    }
}
