// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.shedding;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Refuses some requests before the rest would wait too long: each event loop by its own lag, all of them by memory. A refusal costs
 * a small part of what a request costs, so that what is taken is still answered at twice the load that can be.
 */
public final class LoadShedding {
    private static final int LONGEST_WAIT = 4;

    /** One for each number of seconds: who were told the same would come back together. */
    private static final List<Denial> OVERLOADED = IntStream.rangeClosed(1, LONGEST_WAIT)
            .<Denial>mapToObj(
                    seconds -> new Denial.Unavailable(Reason.PIPELINE_OVERLOADED, Duration.ofSeconds(seconds)))
            .toList();

    private final SheddingConfig config;
    private final MemoryPressure memory = new MemoryPressure();
    private final FastThreadLocal<LoopLoad> here = new FastThreadLocal<>();
    private final List<LoopLoad> loops = new CopyOnWriteArrayList<>();

    public LoadShedding(SheddingConfig config, MeterRegistry meters) {
        this.config = config;
        Gauge.builder("sallyport.event.loop.lag.seconds", loops, LoadShedding::worst)
                .description("How late the latest event loop was when it was looked at last")
                .register(meters);
    }

    private static double worst(List<LoopLoad> loops) {
        return loops.stream().mapToLong(LoopLoad::lag).max().orElse(0) / 1e9;
    }

    /** The refusal of that request, or null if it is to be judged. On its event loop, which is the same each time. */
    public @Nullable Denial refusalOf(UUID request, EventLoop eventLoop) {
        var load = here.get();
        if (load == null) {
            load = begin(eventLoop);
        }
        long random = request.getLeastSignificantBits();
        return load.sheds(random) ? OVERLOADED.get((int) (random >>> 8) & (LONGEST_WAIT - 1)) : null;
    }

    private LoopLoad begin(EventLoop eventLoop) {
        var load = new LoopLoad(
                (task, delay, unit) -> runIn(eventLoop, task, delay, unit),
                System::nanoTime,
                config.eventLoopLag(),
                LoopPace.of(eventLoop)::longestWait,
                () -> memory.percent() > config.memory());
        here.set(load);
        loops.add(load);
        return load;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // it is never cancelled
    static void runIn(EventLoop eventLoop, Runnable task, long delay, TimeUnit unit) {
        try {
            eventLoop.schedule(task, delay, unit);
        } catch (RejectedExecutionException _) {
            // The gateway stops.
        }
    }
}
