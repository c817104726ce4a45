// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one thread that formats and writes. Nothing that goes wrong here ends it or reaches a request: it is counted and shown. */
final class DecisionWriter implements Runnable {
    private static final Logger log = LoggerFactory.getLogger(DecisionWriter.class);

    private static final Duration TICK = Duration.ofSeconds(1);

    private final DecisionQueue queue;
    private final FloodCollapse floods;
    private final EcsLine line;
    private final List<Output> outputs;
    private final InstantSource clock;
    private final AtomicLong dropped = new AtomicLong();
    private final Counter unwritable;
    private Instant nextTick = Instant.MIN;
    private volatile boolean closing;

    DecisionWriter(
            DecisionQueue queue,
            FloodCollapse floods,
            EcsLine line,
            List<LineSink> sinks,
            InstantSource clock,
            MeterRegistry meters) {
        this.queue = queue;
        this.floods = floods;
        this.line = line;
        this.outputs = sinks.stream()
                .map(sink -> new Output(sink, droppedCounter(sink.name(), meters)))
                .toList();
        this.clock = clock;
        this.unwritable = droppedCounter("none", meters);
    }

    private static Counter droppedCounter(String sink, MeterRegistry meters) {
        return Counter.builder("sallyport.denial.log.dropped")
                .description("Refusals whose record was not written; alert on any")
                .tag("sink", sink)
                .register(meters);
    }

    @Override
    public void run() {
        while (!closing) {
            writeQueued();
            tick();
            queue.await(TICK.toNanos());
        }
        writeQueued();
        floods.closeAll(this::write);
        for (var output : outputs) {
            output.close();
        }
    }

    /** Makes {@link #run} write what is left, and end. */
    void close() {
        closing = true;
        queue.wakeUp();
    }

    private void writeQueued() {
        for (var record = queue.poll(); record != null; record = queue.poll()) {
            write(record);
        }
    }

    private void tick() {
        var now = clock.instant();
        if (now.isBefore(nextTick)) {
            return;
        }
        nextTick = now.plus(TICK);
        floods.closeOver(now, this::write);
        for (var output : outputs) {
            output.sync();
        }
    }

    private void write(DecisionRecord record) {
        byte[] bytes;
        try {
            bytes = line.write(record);
        } catch (RuntimeException e) {
            drop(record, unwritable);
            log.atError()
                    .addKeyValue("request_id", record.requestId())
                    .setCause(e)
                    .log("a record cannot be formatted");
            return;
        }
        for (var output : outputs) {
            output.write(record, bytes);
        }
    }

    /** Counts records that nobody will write. Any thread. */
    void drop(DecisionRecord record) {
        drop(record, unwritable);
    }

    private void drop(DecisionRecord record, Counter counter) {
        counter.increment((double) record.weight());
        dropped.addAndGet(record.weight());
    }

    DecisionLog.Health health() {
        for (var output : outputs) {
            var problem = output.problem;
            if (problem != null) {
                return new DecisionLog.Health(false, dropped.get(), problem);
            }
        }
        return new DecisionLog.Health(true, dropped.get(), null);
    }

    /** A sink, and how it is doing. */
    private final class Output {
        private final LineSink sink;
        private final Counter failed;
        private boolean dirty;
        private volatile @Nullable String problem;

        private Output(LineSink sink, Counter failed) {
            this.sink = sink;
            this.failed = failed;
        }

        void write(DecisionRecord record, byte[] bytes) {
            try {
                sink.write(bytes);
                dirty = true;
                recovered();
            } catch (IOException | RuntimeException e) {
                drop(record, failed);
                failing(e);
            }
        }

        void sync() {
            if (!dirty) {
                return;
            }
            try {
                sink.sync();
                dirty = false;
            } catch (IOException | RuntimeException e) {
                failing(e);
            }
        }

        void close() {
            sync();
            try {
                sink.close();
            } catch (IOException | RuntimeException e) {
                failing(e);
            }
        }

        private void recovered() {
            if (problem != null) {
                problem = null;
                log.atWarn().addKeyValue("sink", sink.name()).log("the decision log is written again");
            }
        }

        // Once for each time that it begins to fail: a full disk must not fill the other one.
        private void failing(Exception cause) {
            if (problem == null) {
                log.atError()
                        .addKeyValue("sink", sink.name())
                        .setCause(cause)
                        .log("the decision log cannot be written");
            }
            problem = sink.name() + ": " + cause.getMessage();
        }
    }
}
