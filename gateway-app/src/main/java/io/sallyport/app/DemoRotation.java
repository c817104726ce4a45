// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import com.nimbusds.jose.JWSObject;
import io.sallyport.app.demo.DemoCase;
import io.sallyport.app.demo.DemoParts;
import java.io.IOException;
import java.text.ParseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Changes a key while requests go on, and counts what that did to them. */
public final class DemoRotation {
    private static final int CALLERS = 3;
    private static final int ROTATIONS = 2;
    private static final int REQUESTS_PER_TOKEN = 5;
    private static final int REQUESTS_PER_ROTATION = 50;
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration PAUSE = Duration.ofMillis(20);

    private final DemoSession demo;
    private final AtomicBoolean over = new AtomicBoolean();
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private final Set<String> keyIds = ConcurrentHashMap.newKeySet();

    private DemoRotation(DemoSession demo) {
        this.demo = demo;
    }

    /**
     * What came of it.
     *
     * @param what was rotated, and how often
     * @param generations how many certificates, or keys, requests got through with
     * @param expectedGenerations with each rotation one more
     */
    public record Result(String what, int requests, int failed, int generations, int expectedGenerations) {
        boolean isGood() {
            return failed == 0 && requests > 0 && generations >= expectedGenerations;
        }
    }

    /** Renews the gateway's X509-SVID twice; each time the upstream has to see the new one. */
    public static Result ofSvid(DemoSession demo) throws IOException, InterruptedException, ExecutionException {
        var rotation = new DemoRotation(demo);
        var payments = demo.parts().payments();
        var before = payments.callerSerials();
        return rotation.whileRequestsGoOn(() -> {
            for (int i = 0; i < ROTATIONS; i++) {
                var serial = demo.parts().rotateSvid().leaf().getSerialNumber().toString(16);
                await(() -> payments.callerSerials().contains(serial));
                rotation.awaitMoreRequests();
            }
            var now = payments.callerSerials().stream()
                    .filter(serial -> !before.contains(serial))
                    .count();
            return new Seen("gateway's X509-SVID", (int) now, ROTATIONS);
        });
    }

    /** Has the issuer sign with new keys, twice; each time tokens under the new one have to be accepted. */
    public static Result ofIssuerKey(DemoSession demo) throws IOException, InterruptedException, ExecutionException {
        var rotation = new DemoRotation(demo);
        return rotation.whileRequestsGoOn(() -> {
            await(() -> !rotation.keyIds.isEmpty());
            for (int i = 0; i < ROTATIONS; i++) {
                // Beyond the cool-down between two fetches, which a hurried demo would otherwise run into.
                Thread.sleep(1_100);
                int known = rotation.keyIds.size();
                demo.parts().issuer().rotateKeys();
                await(() -> rotation.keyIds.size() > known);
                rotation.awaitMoreRequests();
            }
            return new Seen("issuer's signing key", rotation.keyIds.size(), ROTATIONS + 1);
        });
    }

    private Result whileRequestsGoOn(Step step) throws IOException, InterruptedException, ExecutionException {
        try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> calls = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                calls.add(callers.submit(this::call));
            }
            Seen seen;
            try {
                seen = step.take();
            } finally {
                over.set(true);
            }
            for (var call : calls) {
                call.get();
            }
            return new Result(seen.what(), requests.get(), failed.get(), seen.generations(), seen.expected());
        }
    }

    private @Nullable Void call() throws IOException, InterruptedException, ParseException {
        while (!over.get()) {
            var token = demo.client().token(DemoParts.ACME, Map.of());
            var keyId = JWSObject.parse(token).getHeader().getKeyID();
            for (int i = 0; i < REQUESTS_PER_TOKEN && !over.get(); i++) {
                var answer = demo.client().get(DemoCase.ALLOWED.path(), token);
                requests.incrementAndGet();
                if (answer.status() == 200) {
                    keyIds.add(keyId);
                } else {
                    failed.incrementAndGet();
                }
            }
        }
        return null;
    }

    /** So many that each caller had several under the new key. */
    private void awaitMoreRequests() throws InterruptedException {
        int enough = requests.get() + REQUESTS_PER_ROTATION;
        await(() -> requests.get() >= enough);
    }

    private static void await(Condition condition) throws InterruptedException {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.holds() && System.nanoTime() < deadline) {
            Thread.sleep(PAUSE);
        }
    }

    private record Seen(String what, int generations, int expected) {}

    @FunctionalInterface
    private interface Step {
        Seen take() throws IOException, InterruptedException;
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds();
    }
}
