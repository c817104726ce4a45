// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Some callers that send requests one after the other, each of which ought to be answered 200, until they are told to stop. */
final class Load implements AutoCloseable {
    private static final int CALLERS = 3;
    private static final int PAUSE_MILLIS = 5;

    private final SpireWorld world;
    private final String route;
    private final long allowedBefore;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final List<Future<?>> callers = new ArrayList<>();
    private final AtomicInteger sent = new AtomicInteger();
    private final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
    private volatile boolean over;

    private Load(SpireWorld world, String route) throws IOException, InterruptedException {
        this.world = world;
        this.route = route;
        this.allowedBefore = allowed();
        Patience.until("the log is as far as the metrics", () -> world.successes(route) >= allowedBefore);
    }

    private long allowed() throws IOException, InterruptedException {
        return (long) world.count("sallyport_decisions_total", "decision=\"allow\"", "route=\"%s\"".formatted(route));
    }

    /**
     * What came of it.
     *
     * @param failures what was answered, or thrown, in place of a 200
     * @param allowed how many the metrics have counted as allowed meanwhile
     * @param successesUntilThen how many successes of the route there are to be in the decision log, those before included
     */
    record Result(int sent, List<String> failures, long allowed, long successesUntilThen) {}

    /** On the route of that name, whose path begins with it. */
    static Load on(SpireWorld world, String route) throws IOException, InterruptedException {
        var load = new Load(world, route);
        for (int i = 0; i < CALLERS; i++) {
            load.callers.add(load.threads.submit(load::call));
        }
        return load;
    }

    private @Nullable Void call() throws InterruptedException {
        while (!over) {
            sent.incrementAndGet();
            try {
                HttpResponse<String> answer = world.get("/" + route + "/1");
                if (answer.statusCode() != 200) {
                    failures.add(answer.statusCode() + " " + answer.body());
                }
            } catch (IOException e) {
                failures.add(e.toString());
            }
            Thread.sleep(PAUSE_MILLIS);
        }
        return null;
    }

    /** Returns when so many more have been sent. */
    void awaitMore(int requests) throws InterruptedException {
        int enough = sent.get() + requests;
        Patience.until(requests + " more requests", () -> sent.get() >= enough);
    }

    /** Lets each caller have its last answer. */
    Result stop() throws IOException, InterruptedException, ExecutionException {
        over = true;
        for (var caller : callers) {
            caller.get();
        }
        return new Result(sent.get(), List.copyOf(failures), allowed() - allowedBefore, allowedBefore + sent.get());
    }

    @Override
    public void close() {
        over = true;
        threads.close();
    }
}
