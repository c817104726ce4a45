// SPDX-License-Identifier: Apache-2.0
package io.sallyport.telemetry;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Names what a process without file descriptors cannot say any more: connections are not accepted, upstreams not reached, files not read, and
 * each fails in words of its own. {@link #look} is for one thread, the rest for any.
 */
public final class FileDescriptors {
    private static final Logger log = LoggerFactory.getLogger(FileDescriptors.class);

    private static final double NEARLY = 0.9;
    private static final State UNKNOWN = new State(Level.ENOUGH, -1, -1);

    /** How many are left. */
    public enum Level {
        ENOUGH,
        NEARLY_NONE,
        NONE
    }

    /**
     * What was seen.
     *
     * @param open how many are open; -1 if that is not known
     * @param limit how many may be; -1 if that is not known
     */
    public record State(Level level, long open, long limit) {}

    /** Asks the operating system. */
    @FunctionalInterface
    public interface Source {
        /**
         * How many are open.
         *
         * @throws InternalError if there is none left to find that out with
         */
        long open();
    }

    private final Source source;
    private final long limit;
    private volatile State state = UNKNOWN;

    public FileDescriptors(Source source, long limit) {
        this.source = source;
        this.limit = limit;
    }

    /** Those of this process; where the platform does not count them, nothing is ever said. */
    public static FileDescriptors ofThisProcess() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system
                ? new FileDescriptors(system::getOpenFileDescriptorCount, system.getMaxFileDescriptorCount())
                : new FileDescriptors(() -> 0, Long.MAX_VALUE);
    }

    /** As of the last look. */
    public State state() {
        return state;
    }

    /** Counts, and logs when the level has changed. */
    public void look() {
        var before = state.level();
        state = count();
        if (state.level() == before) {
            return;
        }
        switch (state.level()) {
            case NONE ->
                log.atError()
                        .addKeyValue("limit", limit)
                        .log(
                                "out of file descriptors: no connection is accepted or made until some are closed; raise the limit (ulimit -n, LimitNOFILE)");
            case NEARLY_NONE ->
                log.atWarn()
                        .addKeyValue("open", state.open())
                        .addKeyValue("limit", limit)
                        .log("nearly out of file descriptors");
            case ENOUGH ->
                log.atInfo()
                        .addKeyValue("open", state.open())
                        .addKeyValue("limit", limit)
                        .log("there are file descriptors again");
        }
    }

    private State count() {
        long open;
        try {
            open = source.open();
        } catch (InternalError _) {
            // To count them takes one.
            return new State(Level.NONE, limit, limit);
        }
        var level = open >= limit ? Level.NONE : open >= limit * NEARLY ? Level.NEARLY_NONE : Level.ENOUGH;
        return new State(level, open, limit);
    }
}
