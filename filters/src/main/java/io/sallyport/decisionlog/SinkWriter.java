// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.decisionlog.sink.RecordSink;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One sink with all that is its own: a bounded queue, counts of what found no place in it, the one thread that formats and writes, and
 * counters. Sinks share no lock and no buffer, so one that is slow, stuck or broken costs the others nothing.
 *
 * <p>Each record that is taken is in the end counted once, by the number of requests it stands for: as written or as dropped.
 */
final class SinkWriter implements Runnable {
    private static final Logger log = LoggerFactory.getLogger(SinkWriter.class);

    private static final int QUEUE_CAPACITY = 8_192;
    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration STUCK_AFTER = Duration.ofSeconds(10);

    private final RecordSink sink;
    private final EcsLine line;
    private final InstantSource clock;
    private final Consumer<Instant> everySecond;
    private final RecordQueue queue = new RecordQueue(QUEUE_CAPACITY);
    private final FloodCollapse overflow = new FloodCollapse(0, "/overflow");
    private final Thread thread;
    private final Counter writtenCounter;
    private final Counter droppedCounter;
    private final AtomicLong written = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    // Whoever takes it out counts it: the writer when the sink has returned, or who no longer waits for that.
    private final AtomicReference<@Nullable DecisionRecord> underWay = new AtomicReference<>();
    private Instant nextTick = Instant.MIN;
    private boolean dirty;
    private volatile @Nullable String problem;
    /** When the call of the sink began that has not returned yet, in epoch milliseconds; 0 if there is none. */
    private volatile long calledAt;

    private volatile boolean closing;
    private volatile boolean ended;

    /** @param everySecond called by this writer's thread about once a second while the sink takes records; must not block */
    SinkWriter(
            RecordSink sink, EcsLine line, InstantSource clock, MeterRegistry meters, Consumer<Instant> everySecond) {
        this.sink = sink;
        this.line = line;
        this.clock = clock;
        this.everySecond = everySecond;
        this.droppedCounter = counter(
                "sallyport.denial.log.dropped", "Requests whose record this sink has lost; alert on any", sink, meters);
        this.writtenCounter =
                counter("sallyport.denial.log.written", "Requests whose record this sink has written", sink, meters);
        this.thread = Thread.ofPlatform()
                .name("sallyport-decision-log-" + sink.name())
                .daemon()
                .unstarted(this);
    }

    private static Counter counter(String name, String description, RecordSink sink, MeterRegistry meters) {
        return Counter.builder(name)
                .description(description)
                .tag("sink", sink.name())
                .register(meters);
    }

    void start() {
        thread.start();
    }

    /** Queues the record for this sink; if there is no place, counts it. Any thread; never blocks. */
    void take(DecisionRecord record) {
        if (ended) {
            drop(record);
            return;
        }
        if (!queue.offer(record)) {
            // What was allowed is asked for one by one, so it is not collapsed.
            if (!record.kind().collapses() || overflow.admits(record)) {
                drop(record);
            }
        }
        if (ended) {
            // It ended in between, and may not have seen this record.
            dropUnwritten();
        }
    }

    @Override
    public void run() {
        try {
            while (!closing) {
                writeQueued();
                tick();
                queue.await(TICK.toNanos());
            }
            writeQueued();
            overflow.closeAll(this::write);
            closeSink();
        } finally {
            ended = true;
            dropUnwritten();
        }
    }

    private void writeQueued() {
        for (var record = queue.poll(); record != null; record = queue.poll()) {
            write(record);
            // Also here: a queue that never empties must not keep the file from the disk, nor minutes from their end.
            tick();
        }
    }

    private void tick() {
        var now = clock.instant();
        if (now.isBefore(nextTick)) {
            return;
        }
        nextTick = now.plus(TICK);
        everySecond.accept(now);
        overflow.closeOver(now, this::write);
        sync();
    }

    private void write(DecisionRecord record) {
        byte[] bytes;
        try {
            bytes = line.write(record);
        } catch (RuntimeException e) {
            drop(record);
            log.atError()
                    .addKeyValue("sink", sink.name())
                    .addKeyValue("request_id", record.requestId())
                    .setCause(e)
                    .log("a record cannot be formatted");
            return;
        }
        underWay.set(record);
        calledAt = clock.millis();
        try {
            sink.write(bytes);
            dirty = true;
            if (underWay.getAndSet(null) != null) {
                written.addAndGet(record.weight());
                writtenCounter.increment((double) record.weight());
            }
            recovered();
        } catch (Throwable e) {
            // Any Throwable: a writer that ended would lose every record after this one.
            if (underWay.getAndSet(null) != null) {
                drop(record);
            }
            failing(e);
        } finally {
            calledAt = 0;
        }
    }

    private void sync() {
        if (!dirty) {
            return;
        }
        calledAt = clock.millis();
        try {
            sink.sync();
            dirty = false;
        } catch (Throwable e) {
            failing(e);
        } finally {
            calledAt = 0;
        }
    }

    private void closeSink() {
        sync();
        try {
            sink.close();
        } catch (Throwable e) {
            failing(e);
        }
    }

    /** Makes the writer's thread write what is left, and end. Does not wait for that. */
    void close() {
        closing = true;
        queue.wakeUp();
    }

    /**
     * Waits until the writer has ended. What it has not written until then is counted as dropped.
     *
     * @param nanos at most that long; not at all if negative
     */
    void awaitEnd(long nanos) throws InterruptedException {
        if (nanos > 0) {
            TimeUnit.NANOSECONDS.timedJoin(thread, nanos);
        }
        if (ended) {
            return;
        }
        ended = true;
        dropUnwritten();
        log.atError()
                .addKeyValue("sink", sink.name())
                .addKeyValue("dropped", dropped.get())
                .log("the decision log could not be flushed in time");
    }

    private void dropUnwritten() {
        var unfinished = underWay.getAndSet(null);
        if (unfinished != null) {
            drop(unfinished);
        }
        for (var record = queue.poll(); record != null; record = queue.poll()) {
            drop(record);
        }
        overflow.closeAll(this::drop);
    }

    private void drop(DecisionRecord record) {
        dropped.addAndGet(record.weight());
        droppedCounter.increment((double) record.weight());
    }

    /** How this sink is doing. Any thread. */
    DecisionLog.SinkHealth health() {
        return new DecisionLog.SinkHealth(sink.name(), written.get(), dropped.get(), queue.size(), currentProblem());
    }

    private @Nullable String currentProblem() {
        if (ended && !closing) {
            return "the writer's thread has ended";
        }
        long since = calledAt;
        if (since != 0) {
            var busy = Duration.ofMillis(clock.millis() - since);
            if (busy.compareTo(STUCK_AFTER) >= 0) {
                return "has not returned for %d s".formatted(busy.toSeconds());
            }
        }
        return problem;
    }

    private void recovered() {
        if (problem != null) {
            problem = null;
            log.atWarn().addKeyValue("sink", sink.name()).log("the decision log is written again");
        }
    }

    // Once for each time that it begins to fail: a full disk must not fill the other one.
    private void failing(Throwable cause) {
        if (problem == null) {
            log.atError().addKeyValue("sink", sink.name()).setCause(cause).log("the decision log cannot be written");
        }
        problem = cause.getMessage() == null ? cause.getClass().getName() : cause.getMessage();
    }
}
