// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

import io.netty.handler.codec.http.HttpMethod;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A refusal as a value, sealed by the shape of its HTTP answer: a 401 carries its challenges, a 405 its {@code Allow}, a
 * 429 and a 503 their delay. The {@link Reason} fixes the status, and a constructor refuses one that does not fit its
 * shape, so a wrong answer is a failing test of the stage that made it.
 *
 * <p>Denials without request data are constants: the deny path then allocates none.
 */
public sealed interface Denial {
    Reason reason();

    /** The status that the client sees. */
    default int status() {
        return reason().status();
    }

    /** 400, 404, 408, 413, 414, 421 or 431; with a challenge where RFC 6750 section 3.1 wants {@code invalid_request}. */
    record Rejected(Reason reason, @Nullable Challenge challenge) implements Denial {
        private static final Set<Integer> STATUSES = Set.of(400, 404, 408, 413, 414, 421, 431);

        public Rejected {
            requireStatus(reason, STATUSES);
        }

        public Rejected(Reason reason) {
            this(reason, null);
        }
    }

    /** 405 with {@code Allow} (RFC 9110 section 15.5.6); the set may be empty. */
    record MethodNotAllowed(Reason reason, Set<HttpMethod> allow) implements Denial {
        public MethodNotAllowed {
            requireStatus(reason, Set.of(405));
            allow = Set.copyOf(allow);
        }
    }

    /** 426 with {@code Upgrade} and the version of it that is spoken (RFC 9110 section 15.5.22, RFC 6455 section 4.2.2). */
    record UpgradeRequired(Reason reason) implements Denial {
        public UpgradeRequired {
            requireStatus(reason, Set.of(426));
        }
    }

    /** 401 with at least one challenge (RFC 9110 section 15.5.2). */
    record Unauthenticated(Reason reason, List<Challenge> challenges) implements Denial {
        public Unauthenticated {
            requireStatus(reason, Set.of(401));
            challenges = List.copyOf(challenges);
            if (challenges.isEmpty()) {
                throw new IllegalArgumentException(
                        "challenges: none (expected: at least one for " + reason.code() + ")");
            }
        }
    }

    /** 403; with a challenge where another scope would help (RFC 6750 section 3.1, {@code insufficient_scope}). */
    record Forbidden(Reason reason, @Nullable Challenge challenge) implements Denial {
        public Forbidden {
            requireStatus(reason, Set.of(403));
        }

        public Forbidden(Reason reason) {
            this(reason, null);
        }
    }

    /** 429 with {@code Retry-After}, naming the policies that were exceeded (none for {@code flood}). */
    record Throttled(Reason reason, Duration retryAfter, List<PolicyName> policies) implements Denial {
        public Throttled {
            requireStatus(reason, Set.of(429));
            requirePositive(reason, retryAfter);
            policies = List.copyOf(policies);
        }
    }

    /** 503 with {@code Retry-After}: the gateway could not decide or cannot serve, so the answer is no. */
    record Unavailable(Reason reason, Duration retryAfter) implements Denial {
        public Unavailable {
            requireStatus(reason, Set.of(503));
            requirePositive(reason, retryAfter);
        }
    }

    /** 502 or 504: the upstream, or what claims to be it, did not answer as it must. */
    record UpstreamFailed(Reason reason) implements Denial {
        public UpstreamFailed {
            requireStatus(reason, Set.of(502, 504));
        }
    }

    private static void requireStatus(Reason reason, Set<Integer> allowed) {
        if (!allowed.contains(reason.status())) {
            throw new IllegalArgumentException("reason %s has status %d (expected: one of %s)"
                    .formatted(
                            reason.code(),
                            reason.status(),
                            allowed.stream().sorted().toList()));
        }
    }

    private static void requirePositive(Reason reason, Duration retryAfter) {
        if (!retryAfter.isPositive()) {
            throw new IllegalArgumentException(
                    "retry-after of %s: %s (expected: more than PT0S)".formatted(reason.code(), retryAfter));
        }
    }
}
