// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Mode;
import io.sallyport.decision.Reason;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RiskScore;
import io.sallyport.pipeline.StageName;
import io.sallyport.pipeline.WouldDeny;
import java.net.InetAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The facts of one record, copied from a request on its event loop: references and no formatting. It holds no token, and of
 * the headers only what a field of the record is made of.
 *
 * @param durationNanos from the head's arrival to the outcome
 * @param reason why it was or would have been refused, or broke off; null for what was allowed or cancelled
 * @param reasons every reason of this request, those that did not stop it included
 * @param status that the client saw, or 0 if it saw none
 * @param caller who it was, as far as it was proven
 * @param evidence of the denial that this record is about, and of no other denial of its request
 * @param repeats how many more requests this record stands for, or null if it stands for itself alone
 */
record DecisionRecord(
        Kind kind,
        Instant at,
        UUID requestId,
        long durationNanos,
        Mode mode,
        @Nullable Reason reason,
        List<Reason> reasons,
        int status,
        Caller caller,
        String method,
        @Nullable String host,
        @Nullable String path,
        @Nullable String userAgent,
        @Nullable String tlsProtocol,
        @Nullable String serverName,
        @Nullable String clientRequestId,
        @Nullable String route,
        String revision,
        RiskScore risk,
        Evidence evidence,
        @Nullable Repeats repeats) {

    private static final int LONGEST_USER_AGENT = 256;
    static final int LONGEST_PATH = 2_048;
    // A Host that names no route is the client's to choose; what is no host name is not shown at all.
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9.:\\[\\]-]{1,255}");
    private static final Pattern CLIENT_REQUEST_ID = Pattern.compile("[A-Za-z0-9-]{8,64}");

    /** What happened. */
    enum Kind {
        REFUSED("request-refused", "denied", "failure"),
        WOULD_REFUSE("request-would-be-refused", "info", "unknown"),
        PASSED_UNDECIDED("request-passed-undecided", "info", "unknown"),
        ABORTED("request-aborted", "error", "failure"),
        ALLOWED("request-allowed", "allowed", "success"),
        CANCELLED("request-cancelled", "end", "unknown");

        private final String action;
        private final String type;
        private final String outcome;

        Kind(String action, String type, String outcome) {
            this.action = action;
            this.type = type;
            this.outcome = outcome;
        }

        /** {@code event.action}. */
        String action() {
            return action;
        }

        /** {@code event.type}. */
        String type() {
            return type;
        }

        /** {@code event.outcome}. */
        String outcome() {
            return outcome;
        }

        /** Whether equal ones may become one record with their number. What was allowed is asked for one by one. */
        boolean collapses() {
            return switch (this) {
                case REFUSED, WOULD_REFUSE, PASSED_UNDECIDED, ABORTED -> true;
                case ALLOWED, CANCELLED -> false;
            };
        }
    }

    /**
     * Who was it? The parts of a principal that records are made of, without its claims: a record may be kept for a minute.
     *
     * @param source the client's address, or the transport peer's if edge had not read it yet
     * @param issuer the exact {@code iss}
     * @param issuerName the issuer's name in the configuration
     */
    record Caller(
            InetAddress source,
            @Nullable String issuer,
            @Nullable String issuerName,
            @Nullable String subject,
            @Nullable String clientId,
            @Nullable String tokenId,
            @Nullable String spiffeId) {
        static Caller of(RequestContext context) {
            var client = context.client();
            var source = client == null ? context.head().peerAddress().getAddress() : client.address();
            return switch (context.principal()) {
                case Principal.Anonymous _ -> new Caller(source, null, null, null, null, null, null);
                case Principal.Workload workload ->
                    new Caller(
                            source,
                            null,
                            null,
                            null,
                            null,
                            null,
                            workload.spiffeId().toString());
                case Principal.Subject subject ->
                    new Caller(
                            source,
                            subject.issuer(),
                            subject.issuerName(),
                            subject.subject(),
                            subject.clientId(),
                            subject.tokenId(),
                            null);
            };
        }
    }

    /**
     * Equal refusals that were counted and not kept.
     *
     * @param count of the refusals that this record stands for, at least 1
     * @param last when the last of them began
     * @param mark tells the record's {@code event.id} from those of the requests it stands for
     */
    record Repeats(long count, Instant last, String mark) {}

    /** How many requests this record stands for. */
    long weight() {
        return repeats == null ? 1 : repeats.count();
    }

    /** When the last of the requests began that this record stands for. */
    Instant last() {
        return repeats == null ? at : repeats.last();
    }

    /**
     * The record that stands for several equal ones, of which this is the first.
     *
     * @param mark what {@code event.id} ends with
     */
    DecisionRecord repeated(long count, Instant last, String mark) {
        var repeated = new Repeats(count, last, repeats == null ? mark : repeats.mark() + mark);
        return new DecisionRecord(
                kind,
                at,
                requestId,
                durationNanos,
                mode,
                reason,
                reasons,
                status,
                caller,
                method,
                host,
                path,
                userAgent,
                tlsProtocol,
                serverName,
                clientRequestId,
                route,
                revision,
                risk,
                evidence,
                repeated);
    }

    /** The record of how a request ended. */
    static DecisionRecord ofOutcome(RequestContext context, Outcome outcome, long durationNanos) {
        return switch (outcome) {
            case Outcome.Refused refused ->
                of(Kind.REFUSED, Mode.ENFORCE, refused.denial(), context, outcome, durationNanos);
            case Outcome.Aborted aborted ->
                of(Kind.ABORTED, Mode.ENFORCE, aborted.denial(), context, outcome, durationNanos);
            case Outcome.Answered _ -> of(Kind.ALLOWED, Mode.ENFORCE, null, context, outcome, durationNanos);
            case Outcome.Cancelled _ -> of(Kind.CANCELLED, Mode.ENFORCE, null, context, outcome, durationNanos);
        };
    }

    /** The record of a refusal that did not stop the request. */
    static DecisionRecord ofWouldDeny(WouldDeny would, RequestContext context, Outcome outcome, long durationNanos) {
        return switch (would.cause()) {
            case OBSERVED -> of(Kind.WOULD_REFUSE, Mode.OBSERVE, would.denial(), context, outcome, durationNanos);
            case UNDECIDED ->
                of(
                        Kind.PASSED_UNDECIDED,
                        modeOf(would.stage(), context),
                        would.denial(),
                        context,
                        outcome,
                        durationNanos);
        };
    }

    private static Mode modeOf(StageName stage, RequestContext context) {
        var route = context.route();
        return route == null ? Mode.ENFORCE : route.mode(stage);
    }

    private static DecisionRecord of(
            Kind kind,
            Mode mode,
            @Nullable Denial denial,
            RequestContext context,
            Outcome outcome,
            long durationNanos) {
        var head = context.head();
        var headers = head.headers();
        var route = context.route();
        var path = context.path();
        var tls = head.tls();
        return new DecisionRecord(
                kind,
                context.receivedAt(),
                context.requestId(),
                durationNanos,
                mode,
                denial == null ? null : denial.reason(),
                reasonsOf(context, outcome),
                outcome.status(),
                Caller.of(context),
                head.method().name(),
                route != null ? route.host() : matching(HOST, headers.get(HttpHeaderNames.HOST)),
                path == null ? null : Text.truncate(path.value(), LONGEST_PATH),
                truncated(headers.get(HttpHeaderNames.USER_AGENT)),
                tls == null ? null : tls.protocol(),
                tls == null ? null : tls.serverName(),
                matching(CLIENT_REQUEST_ID, headers.get("x-request-id")),
                route == null ? null : route.name(),
                context.snapshot().revision(),
                context.riskScore(),
                denial == null ? Evidence.NONE : denial.evidence(),
                null);
    }

    private static List<Reason> reasonsOf(RequestContext context, Outcome outcome) {
        var would = context.wouldDeny();
        var own = switch (outcome) {
            case Outcome.Refused refused -> refused.denial().reason();
            case Outcome.Aborted aborted -> aborted.denial().reason();
            case Outcome.Answered _, Outcome.Cancelled _ -> null;
        };
        if (would.isEmpty()) {
            return own == null ? List.of() : List.of(own);
        }
        var all = new ArrayList<Reason>(would.size() + 1);
        for (var denial : would) {
            all.add(denial.denial().reason());
        }
        if (own != null) {
            all.add(own);
        }
        return all;
    }

    // Truncated here already, so that a record that waits does not hold on to a client's 16 KB.
    private static @Nullable String truncated(@Nullable String userAgent) {
        return userAgent == null ? null : Text.truncate(userAgent, LONGEST_USER_AGENT);
    }

    private static @Nullable String matching(Pattern pattern, @Nullable String value) {
        return value != null && pattern.matcher(value).matches() ? value : null;
    }

    /** Its id alone: whoever logs a record by accident must not log whom it is about. */
    @Override
    public String toString() {
        return "DecisionRecord[%s %s]".formatted(kind, requestId);
    }
}
