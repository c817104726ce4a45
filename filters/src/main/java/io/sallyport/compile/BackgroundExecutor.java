// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs each task on a thread of its own that stands back: an event loop that wants its processor has it at once. To reload ten
 * thousand routes is some 30 ms of work, for which requests would wait.
 *
 * <p>A thread inherits this from the one that starts it, and may not take it back. So a task starts no threads: it fetches no
 * keys and opens no connections, but only computes.
 */
public final class BackgroundExecutor implements Executor {
    private static final Logger log = LoggerFactory.getLogger(BackgroundExecutor.class);

    // Of 0 to 19. A tenth of a processor that others want all of: under full load a reload takes longer, but ends.
    private static final int NICENESS = 10;
    private static final int PRIO_PROCESS = 0;
    // To Linux a process by this name is a thread, and this one that which asks.
    private static final int CALLER = 0;
    private static final boolean LINUX = "Linux".equals(System.getProperty("os.name"));

    /** Linked at the first reload, for it takes a moment and some memory. */
    private static final class Libc {
        static final MethodHandle SETPRIORITY = setpriority();

        @SuppressWarnings("restricted") // its types are those of setpriority(2)
        private static MethodHandle setpriority() {
            var linker = Linker.nativeLinker();
            var anInt = ValueLayout.JAVA_INT;
            return linker.downcallHandle(
                    linker.defaultLookup().findOrThrow("setpriority"),
                    FunctionDescriptor.of(anInt, anInt, anInt, anInt));
        }
    }

    private final ThreadFactory threads =
            Thread.ofPlatform().daemon().name("sallyport-reload").factory();

    @Override
    public void execute(Runnable task) {
        threads.newThread(() -> {
                    standBack();
                    task.run();
                })
                .start();
    }

    private static void standBack() {
        if (!LINUX) {
            // Elsewhere all of the gateway would stand back.
            return;
        }
        try {
            int failed = (int) Libc.SETPRIORITY.invokeExact(PRIO_PROCESS, CALLER, NICENESS);
            if (failed != 0) {
                log.atDebug().log("a reload is as important as requests: setpriority is refused");
            }
        } catch (Throwable e) {
            // What a method handle declares, and what linking throws where there is no such function.
            // A reload goes on without.
            log.atDebug().setCause(e).log("a reload is as important as requests: setpriority cannot be called");
        }
    }

    /** Has that computed by another thread, and waits for it. */
    static <T extends @Nullable Object> T compute(Executor executor, Supplier<T> task) {
        try {
            return CompletableFuture.supplyAsync(task, executor).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
