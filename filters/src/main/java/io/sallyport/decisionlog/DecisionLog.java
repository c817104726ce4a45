// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.config.InvalidSetting;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.OutcomeListener;
import io.sallyport.pipeline.RequestContext;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts every outcome, and leaves a record of each refusal, would-be refusal and failure. On an event loop it copies facts and
 * queues them; everything else happens on its own thread.
 */
public final class DecisionLog implements OutcomeListener, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(DecisionLog.class);

    private static final int QUEUE_CAPACITY = 8_192;
    private static final int TIMED_ONE_IN = 16;
    private static final Duration LONGEST_FLUSH = Duration.ofSeconds(10);

    private final DecisionLogConfig config;
    private final DecisionMetrics metrics;
    private final DecisionQueue queue;
    private final FloodCollapse floods;
    private final DecisionWriter writer;
    private final Thread thread;
    private volatile boolean closed;

    /**
     * Whether records are being written.
     *
     * @param writing false while a sink fails
     * @param dropped how many requests lost their record since the start, counted for each sink that lost it
     * @param problem what the failing sink says
     */
    public record Health(
            boolean writing, long dropped, @Nullable String problem) {}

    /**
     * Opens the sinks and starts the writer.
     *
     * @param clock for the minutes that floods are counted in and the names of rotated files
     * @param serviceVersion as records name it
     * @throws InvalidSetting if the file or the key file cannot be used
     */
    public DecisionLog(DecisionLogConfig config, MeterRegistry meters, InstantSource clock, String serviceVersion) {
        this(config, meters, clock, serviceVersion, sinksOf(config, clock));
    }

    DecisionLog(
            DecisionLogConfig config,
            MeterRegistry meters,
            InstantSource clock,
            String serviceVersion,
            List<LineSink> sinks) {
        this.config = config;
        this.metrics = new DecisionMetrics(meters);
        this.queue = new DecisionQueue(QUEUE_CAPACITY);
        this.floods = new FloodCollapse(config.repeatThreshold(), queue::offer);
        var line = new EcsLine(Pseudonyms.open(config.pseudonymKeyFile()), serviceVersion);
        this.writer = new DecisionWriter(queue, floods, line, sinks, clock, meters);
        this.thread =
                Thread.ofPlatform().name("sallyport-decision-log").daemon().unstarted(writer);
        thread.start();
    }

    @SuppressWarnings("SystemOut") // the one place that is meant to print: records on standard output
    private static List<LineSink> sinksOf(DecisionLogConfig config, InstantSource clock) {
        var sinks = new ArrayList<LineSink>();
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
        try {
            metrics.count(context, outcome);
            boolean timed = isOneIn(TIMED_ONE_IN, context);
            boolean recorded = isRecorded(context, outcome);
            if (timed || recorded) {
                long nanos = System.nanoTime() - context.startedNanos();
                if (timed) {
                    metrics.time(context, outcome, nanos);
                }
                if (recorded) {
                    record(context, outcome, nanos);
                }
            }
        } catch (RuntimeException e) {
            // A listener must not throw, and a request is not to pay for a bug here.
            log.atError()
                    .addKeyValue("request_id", context.requestId())
                    .setCause(e)
                    .log("an outcome was not recorded");
        }
    }

    private boolean isRecorded(RequestContext context, Outcome outcome) {
        return !context.wouldDeny().isEmpty() || isRecordedByItself(context, outcome);
    }

    private boolean isRecordedByItself(RequestContext context, Outcome outcome) {
        return switch (outcome) {
            case Outcome.Refused _, Outcome.Aborted _ -> true;
            case Outcome.Answered _, Outcome.Cancelled _ ->
                switch (config.allowed()) {
                    case NONE -> false;
                    case SAMPLED -> isOneIn(config.sampleOneIn(), context);
                    case ALL -> true;
                };
        };
    }

    private void record(RequestContext context, Outcome outcome, long nanos) {
        for (var would : context.wouldDeny()) {
            keep(DecisionRecord.ofWouldDeny(would, context, outcome, nanos));
        }
        if (isRecordedByItself(context, outcome)) {
            keep(DecisionRecord.ofOutcome(context, outcome, nanos));
        }
    }

    private void keep(DecisionRecord record) {
        if (closed) {
            writer.drop(record);
            return;
        }
        switch (record.kind()) {
            case REFUSED, WOULD_REFUSE, PASSED_UNDECIDED, ABORTED -> floods.add(record);
            // What was allowed is asked for one by one, so it is not collapsed; without a place it is dropped.
            case ALLOWED, CANCELLED -> {
                if (!queue.offer(record)) {
                    writer.drop(record);
                }
            }
        }
    }

    // The random part of the request's id decides:
    // no random number is drawn, and all that is sampled is of the same requests.
    private static boolean isOneIn(int n, RequestContext context) {
        return (context.requestId().getLeastSignificantBits() & Long.MAX_VALUE) % n == 0;
    }

    /** How the log is doing. Any thread. */
    public Health health() {
        var health = writer.health();
        return closed || thread.isAlive()
                ? health
                : new Health(false, health.dropped(), "the writer's thread has ended");
    }

    /** Writes what is queued and counted, and closes the sinks. What comes later is counted as dropped. */
    @Override
    public void close() {
        closed = true;
        writer.close();
        try {
            if (!thread.join(LONGEST_FLUSH)) {
                log.error("the decision log could not be flushed in {}", LONGEST_FLUSH);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
