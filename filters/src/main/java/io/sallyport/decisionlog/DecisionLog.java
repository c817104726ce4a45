// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.config.InvalidSetting;
import io.sallyport.decisionlog.file.RotatingFile;
import io.sallyport.decisionlog.sink.RecordSink;
import io.sallyport.decisionlog.stdout.StandardOutput;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.OutcomeListener;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RequestIds;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Leaves a record of each refusal, would-be refusal and failure in every sink. On an event loop it copies facts and queues them;
 * everything else happens on a thread of each sink's own.
 *
 * <p>Floods are collapsed before the queues, so that every sink gets the same lines. What finds no place in a queue is counted for
 * that sink alone.
 */
public final class DecisionLog implements OutcomeListener, AutoCloseable {
    private static final Duration LONGEST_FLUSH = Duration.ofSeconds(10);

    private final DecisionLogConfig config;
    private final FloodCollapse floods;
    private final List<SinkWriter> writers;
    private final Duration longestFlush;
    private volatile boolean closed;

    /** How each sink is doing. */
    public record Health(List<SinkHealth> sinks) {
        /** Whether every sink takes records. */
        public boolean writing() {
            return sinks.stream().allMatch(sink -> sink.problem() == null);
        }
    }

    /**
     * How one sink is doing.
     *
     * @param written how many requests have their record there since the start
     * @param dropped how many requests lost their record there since the start
     * @param queued how many records wait for it
     * @param problem what it says, or that it does not return; null while it takes records
     */
    public record SinkHealth(
            String name,
            long written,
            long dropped,
            int queued,
            @Nullable String problem) {}

    /**
     * Opens the sinks and starts a writer for each.
     *
     * @param clock for the minutes that floods are counted in and the names of rotated files
     * @param serviceVersion as records name it
     * @throws InvalidSetting if the file or the key file cannot be used
     */
    public DecisionLog(DecisionLogConfig config, MeterRegistry meters, InstantSource clock, String serviceVersion) {
        this(config, meters, clock, serviceVersion, sinksOf(config, clock), LONGEST_FLUSH);
    }

    DecisionLog(
            DecisionLogConfig config,
            MeterRegistry meters,
            InstantSource clock,
            String serviceVersion,
            List<? extends RecordSink> sinks,
            Duration longestFlush) {
        this.config = config;
        this.longestFlush = longestFlush;
        this.floods = new FloodCollapse(config.repeatThreshold(), "/repeats");
        var pseudonyms = Pseudonyms.open(config.pseudonymKeyFile());
        this.writers = sinks.stream()
                .map(sink -> new SinkWriter(
                        sink, new EcsLine(pseudonyms.copy(), serviceVersion), clock, meters, this::endMinutes))
                .toList();
        writers.forEach(SinkWriter::start);
    }

    /** Whether a readable file holds a key that subjects can be pseudonymised with. Blocks. */
    public static boolean isKey(Path file) {
        return Pseudonyms.isKey(file);
    }

    @SuppressWarnings("SystemOut") // the one place that is meant to print: records on standard output
    private static List<RecordSink> sinksOf(DecisionLogConfig config, InstantSource clock) {
        var sinks = new ArrayList<RecordSink>();
        var file = config.file();
        if (file != null) {
            sinks.add(new RotatingFile(file, clock));
        }
        if (config.stdout()) {
            sinks.add(new StandardOutput(System.out));
        }
        return sinks;
    }

    @Override
    public void onOutcome(RequestContext context, Outcome outcome) {
        boolean recorded = isRecordedByItself(context, outcome);
        var observed = context.wouldDeny();
        if (!recorded && observed.isEmpty()) {
            return;
        }
        long nanos = System.nanoTime() - context.startedNanos();
        for (var would : observed) {
            keep(DecisionRecord.ofWouldDeny(would, context, outcome, nanos));
        }
        if (recorded) {
            keep(DecisionRecord.ofOutcome(context, outcome, nanos));
        }
    }

    private boolean isRecordedByItself(RequestContext context, Outcome outcome) {
        return switch (outcome) {
            case Outcome.Refused _, Outcome.Aborted _ -> true;
            case Outcome.Answered _, Outcome.Cancelled _ ->
                switch (config.allowed()) {
                    case NONE -> false;
                    case SAMPLED -> RequestIds.isOneIn(config.sampleOneIn(), context.requestId());
                    case ALL -> true;
                };
        };
    }

    private void keep(DecisionRecord record) {
        if (!record.kind().collapses() || floods.admits(record)) {
            handOut(record);
        }
        if (closed) {
            // Nobody ends minutes any more; the sinks count as dropped what comes too late.
            floods.closeAll(this::handOut);
        }
    }

    private void handOut(DecisionRecord record) {
        for (int i = 0; i < writers.size(); i++) {
            writers.get(i).take(record);
        }
    }

    // By every writer, so that one that is stuck does not keep the counts from the others.
    private void endMinutes(Instant now) {
        floods.closeOver(now, this::handOut);
    }

    /** How the log is doing. Any thread. */
    public Health health() {
        return new Health(writers.stream().map(SinkWriter::health).toList());
    }

    /** Writes what is queued and counted, and closes the sinks: all at once, and none waits for another. */
    @Override
    public void close() {
        closed = true;
        floods.closeAll(this::handOut);
        writers.forEach(SinkWriter::close);
        long deadline = System.nanoTime() + longestFlush.toNanos();
        try {
            for (var writer : writers) {
                writer.awaitEnd(deadline - System.nanoTime());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
