// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.OutcomeListener;
import io.sallyport.pipeline.RequestContext;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The sequences that are being run. A target names the run and the request; bytes that are no request belong to their connection's run. */
final class Runs implements OutcomeListener {
    private final Map<String, Run> byName = new ConcurrentHashMap<>();
    private final Map<Integer, Run> byPort = new ConcurrentHashMap<>();
    private final AtomicInteger names = new AtomicInteger();

    /** Begins to run that sequence, under a name that no other has had. */
    Run begin(Sequence sequence) {
        var run = new Run(sequence, "%06x".formatted(names.incrementAndGet()));
        byName.put(run.name, run);
        return run;
    }

    void connected(Run run, int clientPort) {
        run.port = clientPort;
        byPort.put(clientPort, run);
    }

    /** Nothing more will come of it. */
    void forget(Run run) {
        byName.remove(run.name);
        byPort.remove(run.port, run);
    }

    @Nullable
    Run named(String name) {
        return byName.get(name);
    }

    @Nullable
    Run of(String target) {
        int dash = target.indexOf('-');
        return dash < 0 ? null : byName.get(target.substring(1, dash));
    }

    static int numberOf(String target) {
        return Integer.parseInt(target.substring(target.indexOf('-') + 1));
    }

    @Override
    public void onOutcome(RequestContext context, Outcome outcome) {
        var head = context.head();
        var requestId = context.requestId().toString();
        var run = of(head.target());
        if (run != null) {
            run.ended(new Run.Ended(numberOf(head.target()), requestId, outcome));
            return;
        }
        var ofConnection = byPort.get(head.peerAddress().getPort());
        if (ofConnection != null) {
            ofConnection.ended(new Run.Ended(-1, requestId, outcome));
        }
    }
}
