// SPDX-License-Identifier: Apache-2.0
package io.sallyport.flood;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.pipeline.ClientAddress;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import java.time.Duration;
import java.util.List;

/**
 * Throttles a network that holds too many connections or keeps failing to authenticate.
 *
 * <p>The failures do not matter on a public route, which verifies nothing: whoever shares an address with a broken client still
 * reaches what is open to everybody. A throttled request is not a failure itself, so the throttle ends by itself.
 */
public final class FloodStage implements Stage {
    private static final Verdict TOO_MANY_CONNECTIONS = throttled(Reason.FLOOD_CONNECTIONS, 1);
    /** By the seconds to wait; the first is not used. */
    private static final Verdict[] TOO_MANY_FAILURES = new Verdict[61];

    static {
        for (int seconds = 1; seconds < TOO_MANY_FAILURES.length; seconds++) {
            TOO_MANY_FAILURES[seconds] = throttled(Reason.FLOOD_AUTHENTICATION_FAILURES, seconds);
        }
        TOO_MANY_FAILURES[0] = TOO_MANY_FAILURES[1];
    }

    private final AuthenticationFailures failures;
    private final ConnectionCounts connections;

    /** @param connections what the listener reports to */
    public FloodStage(AuthenticationFailures failures, ConnectionCounts connections) {
        this.failures = failures;
        this.connections = connections;
    }

    private static Verdict throttled(Reason reason, int seconds) {
        return new Verdict.Deny(new Denial.Throttled(reason, Duration.ofSeconds(seconds), List.of()));
    }

    @Override
    public StageName name() {
        return StageName.FLOOD;
    }

    @Override
    public Verdict evaluate(RequestContext context) {
        var config = context.snapshot().settings(StageName.FLOOD, FloodConfig.class);
        var client = requireClient(context);
        // A trusted proxy holds its connections for many clients; the listener's limit on all connections still holds.
        if (!client.viaTrustedProxy() && connections.count(client.address()) > config.connectionsPerAddress()) {
            return TOO_MANY_CONNECTIONS;
        }
        if (context.requireRoute().isPublic()) {
            return Verdict.Pass.PASS;
        }
        int wait = failures.secondsUntilBelow(
                config.failuresPerMinute(),
                client.network(),
                context.receivedAt().getEpochSecond());
        return wait == 0 ? Verdict.Pass.PASS : TOO_MANY_FAILURES[wait];
    }

    private static ClientAddress requireClient(RequestContext context) {
        var client = context.client();
        if (client == null) {
            throw new IllegalStateException("no client address");
        }
        return client;
    }

    @Override
    public void onOutcome(RequestContext context, Outcome outcome) {
        failures.record(context, outcome);
    }
}
