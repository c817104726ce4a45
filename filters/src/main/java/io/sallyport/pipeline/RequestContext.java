// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.identity.Principal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way through the pipeline: what is known about it so far, each fact set by the one stage whose
 * question it answers. Confined to the request's event loop; nothing here is safe to share.
 */
public final class RequestContext {
    private final RequestHead head;
    private final Snapshot snapshot;
    private final UUID requestId;
    private final Instant receivedAt;
    private final long startedNanos;
    private final Executor eventLoop;

    private @Nullable Route route;
    private @Nullable CanonicalPath path;
    private @Nullable String pathWithParameters;
    private @Nullable String query;
    private Map<String, String> pathVariables = Map.of();
    private Set<HttpMethod> allowedMethods = Set.of();
    private @Nullable ClientAddress client;
    private Principal principal = Principal.Anonymous.ANONYMOUS;
    private RiskScore riskScore = RiskScore.NONE;
    private @Nullable RateLimitState rateLimitState;
    private @Nullable UpstreamLease lease;
    private @Nullable List<WouldDeny> wouldDeny;
    private final EnumSet<StageName> stagesSeen = EnumSet.noneOf(StageName.class);
    private boolean concluded;

    /**
     * @param receivedAt the one reading of the clock that every stage judges this request by
     * @param startedNanos {@link System#nanoTime()} when the head was read, for durations only
     * @param eventLoop where the pipeline goes on after a pending verdict
     */
    public RequestContext(
            RequestHead head,
            Snapshot snapshot,
            UUID requestId,
            Instant receivedAt,
            long startedNanos,
            Executor eventLoop) {
        this.head = head;
        this.snapshot = snapshot;
        this.requestId = requestId;
        this.receivedAt = receivedAt;
        this.startedNanos = startedNanos;
        this.eventLoop = eventLoop;
    }

    public RequestHead head() {
        return head;
    }

    public Snapshot snapshot() {
        return snapshot;
    }

    /** The only id that a client sees ({@code X-Request-ID}, {@code instance}). */
    public UUID requestId() {
        return requestId;
    }

    public Instant receivedAt() {
        return receivedAt;
    }

    public long startedNanos() {
        return startedNanos;
    }

    public Executor eventLoop() {
        return eventLoop;
    }

    /** The matched route, or null before {@code edge} has passed. */
    public @Nullable Route route() {
        return route;
    }

    /**
     * The matched route, for every stage after {@code edge}.
     *
     * @throws IllegalStateException before {@code edge} has passed; the pipeline turns that into a denial
     */
    public Route requireRoute() {
        var matched = route;
        if (matched == null) {
            throw new IllegalStateException("no route was matched");
        }
        return matched;
    }

    public @Nullable CanonicalPath path() {
        return path;
    }

    /** The path with the parameters that the route forwards, or null if there are none. */
    @Nullable
    String pathWithParameters() {
        return pathWithParameters;
    }

    /** Set by {@code edge} alone: what is forwarded in place of {@link #path()}, which everything else goes by. */
    public void pathWithParameters(String path) {
        this.pathWithParameters = path;
    }

    /** The query as it is authorized and forwarded, without the question mark, or null if there was none. */
    public @Nullable String query() {
        return query;
    }

    /** The values of the route's {@code {var}} segments, percent-decoded, by name. */
    public Map<String, String> pathVariables() {
        return pathVariables;
    }

    /** Set by {@code edge}, at once and only there. */
    public void matched(Route route, CanonicalPath path, @Nullable String query, Map<String, String> pathVariables) {
        this.route = route;
        this.path = path;
        this.query = query;
        this.pathVariables = pathVariables;
    }

    /**
     * On an unmatched route: the methods that routes of this path have, so that {@code authorize} answers 405 with them. Empty
     * if no route of the host has this path.
     */
    public Set<HttpMethod> allowedMethods() {
        return allowedMethods;
    }

    /** Set by {@code edge} alone, when the path has routes but none for the request's method. */
    public void allowedMethods(Set<HttpMethod> allowedMethods) {
        this.allowedMethods = allowedMethods;
    }

    /** The client's address, or null before {@code edge} has read it. */
    public @Nullable ClientAddress client() {
        return client;
    }

    /** Set by {@code edge} before anything that can refuse, so that refusals count against the right address. */
    public void client(ClientAddress client) {
        this.client = client;
    }

    public Principal principal() {
        return principal;
    }

    /** Set by {@code authenticate} alone. */
    public void principal(Principal principal) {
        this.principal = principal;
    }

    /** What an observed denial of identity or authorization leaves of the caller: nobody. */
    void becomeAnonymous() {
        this.principal = Principal.Anonymous.ANONYMOUS;
    }

    public RiskScore riskScore() {
        return riskScore;
    }

    /** Set by {@code risk}. */
    public void riskScore(RiskScore riskScore) {
        this.riskScore = riskScore;
    }

    public @Nullable RateLimitState rateLimitState() {
        return rateLimitState;
    }

    /** Set by {@code ratelimit}. */
    public void rateLimitState(RateLimitState rateLimitState) {
        this.rateLimitState = rateLimitState;
    }

    public @Nullable UpstreamLease lease() {
        return lease;
    }

    /** Set by {@code route}; the pipeline abandons it if the request ends without being forwarded. */
    public void lease(UpstreamLease lease) {
        this.lease = lease;
    }

    /** The lease, for the one who will end it; null to everybody who asks after. */
    public @Nullable UpstreamLease takeLease() {
        var taken = lease;
        lease = null;
        return taken;
    }

    /** Denials that did not stop this request, in the order of the stages. */
    public List<WouldDeny> wouldDeny() {
        return wouldDeny == null ? List.of() : Collections.unmodifiableList(wouldDeny);
    }

    void addWouldDeny(WouldDeny denial) {
        if (wouldDeny == null) {
            wouldDeny = new ArrayList<>(2);
        }
        wouldDeny.add(denial);
    }

    void seenBy(StageName stage) {
        stagesSeen.add(stage);
    }

    /** Whether that stage has evaluated this request. */
    public boolean wasSeenBy(StageName stage) {
        return stagesSeen.contains(stage);
    }

    /** True for the first caller alone: whoever gets it reports the outcome. */
    boolean concludeOnce() {
        if (concluded) {
            return false;
        }
        concluded = true;
        return true;
    }
}
