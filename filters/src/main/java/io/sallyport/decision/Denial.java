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
 * <p>Denials without request data are constants: the deny path then allocates none. What an operator's record adds to the
 * reason is {@link Evidence} of the denial itself; {@link #with} makes a copy that has it.
 */
public sealed interface Denial {
    Reason reason();

    /** The status that the client sees. */
    default int status() {
        return reason().status();
    }

    /** What the record of this denial shows beside its reason. */
    Evidence evidence();

    /** The same answer to the client, with this evidence and no other. */
    Denial with(Evidence evidence);

    /** The same answer to the client, with one piece of evidence more. */
    default Denial with(Evidence.Key key, String value) {
        return with(evidence().with(key, value));
    }

    /** 400, 404, 408, 413, 414, 421 or 431; with a challenge where RFC 6750 section 3.1 wants {@code invalid_request}. */
    record Rejected(Reason reason, @Nullable Challenge challenge, Evidence evidence) implements Denial {
        private static final Set<Integer> STATUSES = Set.of(400, 404, 408, 413, 414, 421, 431);

        public Rejected {
            requireStatus(reason, STATUSES);
        }

        public Rejected(Reason reason) {
            this(reason, null, Evidence.NONE);
        }

        public Rejected(Reason reason, @Nullable Challenge challenge) {
            this(reason, challenge, Evidence.NONE);
        }

        @Override
        public Rejected with(Evidence evidence) {
            return new Rejected(reason, challenge, evidence);
        }
    }

    /** 405 with {@code Allow} (RFC 9110 section 15.5.6); the set may be empty. */
    record MethodNotAllowed(Reason reason, Set<HttpMethod> allow, Evidence evidence) implements Denial {
        public MethodNotAllowed {
            requireStatus(reason, 405);
            allow = Set.copyOf(allow);
        }

        public MethodNotAllowed(Reason reason, Set<HttpMethod> allow) {
            this(reason, allow, Evidence.NONE);
        }

        @Override
        public MethodNotAllowed with(Evidence evidence) {
            return new MethodNotAllowed(reason, allow, evidence);
        }
    }

    /** 426 with {@code Upgrade} and the version of it that is spoken (RFC 9110 section 15.5.22, RFC 6455 section 4.2.2). */
    record UpgradeRequired(Reason reason, Evidence evidence) implements Denial {
        public UpgradeRequired {
            requireStatus(reason, 426);
        }

        public UpgradeRequired(Reason reason) {
            this(reason, Evidence.NONE);
        }

        @Override
        public UpgradeRequired with(Evidence evidence) {
            return new UpgradeRequired(reason, evidence);
        }
    }

    /** 401 with at least one challenge (RFC 9110 section 15.5.2). */
    record Unauthenticated(Reason reason, List<Challenge> challenges, Evidence evidence) implements Denial {
        public Unauthenticated {
            requireStatus(reason, 401);
            challenges = List.copyOf(challenges);
            if (challenges.isEmpty()) {
                throw new IllegalArgumentException(
                        "challenges: none (expected: at least one for " + reason.code() + ")");
            }
        }

        public Unauthenticated(Reason reason, List<Challenge> challenges) {
            this(reason, challenges, Evidence.NONE);
        }

        @Override
        public Unauthenticated with(Evidence evidence) {
            return new Unauthenticated(reason, challenges, evidence);
        }
    }

    /** 403; with a challenge where another scope would help (RFC 6750 section 3.1, {@code insufficient_scope}). */
    record Forbidden(Reason reason, @Nullable Challenge challenge, Evidence evidence) implements Denial {
        public Forbidden {
            requireStatus(reason, 403);
        }

        public Forbidden(Reason reason) {
            this(reason, null, Evidence.NONE);
        }

        public Forbidden(Reason reason, @Nullable Challenge challenge) {
            this(reason, challenge, Evidence.NONE);
        }

        @Override
        public Forbidden with(Evidence evidence) {
            return new Forbidden(reason, challenge, evidence);
        }
    }

    /** 429 with {@code Retry-After}, naming the policies that were exceeded (none for {@code flood}). */
    record Throttled(Reason reason, Duration retryAfter, List<PolicyName> policies, Evidence evidence)
            implements Denial {
        public Throttled {
            requireStatus(reason, 429);
            requirePositive(reason, retryAfter);
            policies = List.copyOf(policies);
        }

        public Throttled(Reason reason, Duration retryAfter, List<PolicyName> policies) {
            this(reason, retryAfter, policies, Evidence.NONE);
        }

        @Override
        public Throttled with(Evidence evidence) {
            return new Throttled(reason, retryAfter, policies, evidence);
        }
    }

    /** 503 with {@code Retry-After}: the gateway could not decide or cannot serve, so the answer is no. */
    record Unavailable(Reason reason, Duration retryAfter, Evidence evidence) implements Denial {
        public Unavailable {
            requireStatus(reason, 503);
            requirePositive(reason, retryAfter);
        }

        public Unavailable(Reason reason, Duration retryAfter) {
            this(reason, retryAfter, Evidence.NONE);
        }

        @Override
        public Unavailable with(Evidence evidence) {
            return new Unavailable(reason, retryAfter, evidence);
        }

        @Override
        public Unavailable with(Evidence.Key key, String value) {
            return with(evidence.with(key, value));
        }
    }

    /** 502 or 504: the upstream, or what claims to be it, did not answer as it must. */
    record UpstreamFailed(Reason reason, Evidence evidence) implements Denial {
        private static final Set<Integer> STATUSES = Set.of(502, 504);

        public UpstreamFailed {
            requireStatus(reason, STATUSES);
        }

        public UpstreamFailed(Reason reason) {
            this(reason, Evidence.NONE);
        }

        @Override
        public UpstreamFailed with(Evidence evidence) {
            return new UpstreamFailed(reason, evidence);
        }
    }

    private static void requireStatus(Reason reason, int allowed) {
        if (reason.status() != allowed) {
            requireStatus(reason, Set.of(allowed));
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
