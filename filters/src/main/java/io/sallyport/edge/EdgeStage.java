// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.pipeline.CanonicalPath;
import io.sallyport.pipeline.ClientAddress;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import io.sallyport.pipeline.TlsConnection;
import java.net.InetAddress;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Judges messages, where {@code wire.framing.FramingGuard} judges bytes: it does not rely on the guard, because a request over HTTP/2
 * has not passed it. Reads {@link EdgeSettings} from the request's snapshot; keeps nothing but counters.
 */
public final class EdgeStage implements Stage {
    private static final Verdict METHOD_REFUSED =
            new Verdict.Deny(new Denial.MethodNotAllowed(Reason.EDGE_METHOD_REFUSED, Set.of()));

    private static final String HTTP = "http://";
    private static final String HTTPS = "https://";

    private static final Map<Reason, Verdict.Deny> REJECTED = new EnumMap<>(Reason.class);

    static {
        for (var reason : Reason.values()) {
            if (reason.origin().equals(StageName.EDGE.code()) && reason != Reason.EDGE_METHOD_REFUSED) {
                REJECTED.put(reason, new Verdict.Deny(new Denial.Rejected(reason)));
            }
        }
    }

    private final MeterRegistry meters;
    private final Map<String, Counter> removed = new ConcurrentHashMap<>();
    private final Consumer<String> removals = this::countRemoval;

    /** @param meters where headers that were removed from requests are counted */
    public EdgeStage(MeterRegistry meters) {
        this.meters = meters;
    }

    @Override
    public StageName name() {
        return StageName.EDGE;
    }

    private void countRemoval(String header) {
        var known = removed.get(header);
        (known == null ? removed.computeIfAbsent(header, this::counter) : known).increment();
    }

    private Counter counter(String header) {
        return Counter.builder("sallyport.identity.headers.removed")
                .description("Identity headers of clients that were removed from requests, by name or family")
                .tag("header", header)
                .register(meters);
    }

    @Override
    public Verdict evaluate(RequestContext context) {
        var settings = context.snapshot().settings(StageName.EDGE, EdgeSettings.class);
        var head = context.head();
        if (!readClient(context, head, settings)) {
            return rejected(Reason.EDGE_FORWARDED_MALFORMED);
        }
        var fields = new HeaderScan(settings.headLimits(), settings.identityHeaders());
        var refusal = fields.read(head.headers());
        if (refusal != null) {
            return rejected(refusal, fields.offender());
        }
        if (head.method().equals(HttpMethod.TRACE) || head.method().equals(HttpMethod.CONNECT)) {
            return METHOD_REFUSED;
        }
        if (fields.expectsOther()) {
            return rejected(Reason.EDGE_EXPECTATION_UNSUPPORTED);
        }
        return route(context, head, fields, settings);
    }

    /** Sets the client's address, whatever comes of it; false if a trusted proxy named none. */
    private static boolean readClient(RequestContext context, RequestHead head, EdgeSettings settings) {
        InetAddress peer = IpLiteral.withoutMapping(head.peerAddress().getAddress());
        context.client(new ClientAddress(peer, false));
        if (!ForwardedFor.isTrusted(peer, settings.trustedProxies())) {
            return true;
        }
        var lines = head.headers().getAll(ForwardedFor.NAME);
        if (lines.isEmpty()) {
            return true;
        }
        var client = ForwardedFor.read(peer, lines, settings.trustedProxies());
        if (client == null) {
            return false;
        }
        context.client(client);
        return true;
    }

    private Verdict route(RequestContext context, RequestHead head, HeaderScan fields, EdgeSettings settings) {
        var target = head.target();
        if (target.length() > settings.headLimits().maxRequestLine()) {
            return rejected(Reason.EDGE_TARGET_TOO_LONG);
        }
        int pathStart = startOfPath(target);
        if (pathStart < 0) {
            return rejected(Reason.EDGE_TARGET_MALFORMED);
        }
        if (fields.hosts() > 1) {
            return rejected(Reason.EDGE_HOST_AMBIGUOUS);
        }
        var authority = fields.host();
        if (authority == null || authority.isEmpty()) {
            return rejected(Reason.EDGE_HOST_MISSING);
        }
        if (pathStart > 0 && !isAuthorityOf(target, pathStart, authority)) {
            return rejected(Reason.EDGE_HOST_AMBIGUOUS);
        }
        // RFC 9110 section 7.4. A proxy that ends TLS says what its client has asked for.
        if (pathStart > 0
                && head.tls() == null
                && startOfAuthority(target) == HTTPS.length()
                && !ForwardedFor.isTrusted(head.peerAddress().getAddress(), settings.trustedProxies())) {
            return rejected(Reason.EDGE_TARGET_MALFORMED, "https without TLS");
        }
        var host = Authority.hostOf(authority.toString());
        if (host == null) {
            return rejected(Reason.EDGE_HOST_MALFORMED);
        }
        var routes = settings.routes().host(host);
        if (routes == null) {
            return rejected(Reason.EDGE_HOST_UNKNOWN, host);
        }
        if (isMisdirected(head.tls(), host, settings.routes())) {
            return rejected(Reason.EDGE_MISDIRECTED, host);
        }
        int question = target.indexOf('?', pathStart);
        int pathEnd = question < 0 ? target.length() : question;
        if (question >= 0) {
            var refusal = QueryCheck.refusalOf(target, question + 1);
            if (refusal != null) {
                return rejected(refusal.reason(), "query: " + CanonicalPaths.shown(target, refusal.at()));
            }
        }
        var query = question < 0 ? null : QueryCheck.read(target, question + 1);
        return switch (readPath(target, pathStart, pathEnd)) {
            case CanonicalPaths.Reading.Refused(Reason reason, int at) -> rejectedPath(reason, target, at);
            case CanonicalPaths.Reading.Canonical(CanonicalPath path) ->
                matched(context, routes.find(path.value(), head.method()), path, query, fields);
            case CanonicalPaths.Reading.Conditional conditional -> {
                var path = conditional.path();
                var match = routes.find(path.value(), head.method());
                if (!conditional.isAllowedBy(match.paths()) || !hasSlashesInVariablesOnly(match, conditional)) {
                    int at = conditional.slashAt() < 0 ? conditional.parameterAt() : conditional.slashAt();
                    yield rejectedPath(Reason.EDGE_PATH_AMBIGUOUS, target, at);
                }
                if (conditional.parameterAt() >= 0) {
                    context.pathWithParameters(conditional.forwarded());
                }
                yield matched(context, match, path, query, fields);
            }
        };
    }

    // What the gateway answers itself goes no further, so that nobody splits its path.
    private static boolean hasSlashesInVariablesOnly(RouteTable.Match match, CanonicalPaths.Reading.Conditional path) {
        var pattern = match.pattern();
        return path.slashAt() < 0
                || match.route().kind() == Route.Kind.LOCAL
                || (pattern != null
                        && pattern.hasEncodedSlashesInVariablesOnly(path.path().value()));
    }

    private Verdict matched(
            RequestContext context,
            RouteTable.Match match,
            CanonicalPath path,
            @Nullable String query,
            HeaderScan fields) {
        if (fields.contentLength() < -1) {
            return rejected(Reason.EDGE_FRAMING_AMBIGUOUS);
        }
        var pattern = match.pattern();
        var variables = pattern == null ? Map.<String, String>of() : pattern.variablesOf(path.value());
        context.matched(match.route(), path, query, variables);
        context.allowedMethods(match.allowedMethods());
        // Now that it is known what this route lets clients say. Whatever is refused before has no reader behind this
        // stage.
        fields.removeIdentityHeaders(context.head().headers(), match.route().removedHeaders(), removals);
        // Whether the body is too long is judged when somebody knows whose it is: a stranger is not told what a route
        // takes.
        return Verdict.Pass.PASS;
    }

    /**
     * Whether the connection was made for another host than this one, by what the client asked for in its SNI and what it was shown
     * for it (RFC 9110 section 7.4). HTTP/2 lets a client use a connection for every name of its certificate. A client that asked
     * for a name that is none of ours has said nothing.
     */
    private static boolean isMisdirected(@Nullable TlsConnection tls, String host, RouteTable routes) {
        if (tls == null || tls.serverName() == null || tls.serverName().equals(host)) {
            return false;
        }
        var scope = tls.scope();
        return scope != null
                && !scope.shown().cover(host)
                && (routes.host(tls.serverName()) != null || scope.isAnothers(host));
    }

    /** Where the path of an origin-form or absolute-form target begins, or -1 for another form (RFC 9112 section 3.2). */
    private static int startOfPath(String target) {
        if (target.startsWith("/")) {
            return 0;
        }
        int authority = startOfAuthority(target);
        if (authority < 0) {
            return -1;
        }
        int end = authority;
        while (end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
            end++;
        }
        return end < target.length() && target.charAt(end) == '#' ? -1 : end;
    }

    private static int startOfAuthority(String target) {
        if (target.regionMatches(true, 0, HTTP, 0, HTTP.length())) {
            return HTTP.length();
        }
        return target.regionMatches(true, 0, HTTPS, 0, HTTPS.length()) ? HTTPS.length() : -1;
    }

    private static boolean isAuthorityOf(String target, int pathStart, CharSequence authority) {
        int start = startOfAuthority(target);
        return pathStart - start == authority.length()
                && target.regionMatches(true, start, authority.toString(), 0, authority.length());
    }

    private static CanonicalPaths.Reading readPath(String target, int from, int to) {
        // An absolute-form target without a path names the root (RFC 9110 section 4.2.3).
        return from == to ? CanonicalPaths.read("/", 0, 1) : CanonicalPaths.read(target, from, to);
    }

    private static Verdict rejectedPath(Reason reason, String target, int at) {
        return rejected(reason, "path: " + CanonicalPaths.shown(target, at));
    }

    private static Verdict rejected(Reason reason, @Nullable String detail) {
        var rejected = rejected(reason);
        return detail == null ? rejected : rejected.with(Evidence.Key.DETAIL, detail);
    }

    private static Verdict.Deny rejected(Reason reason) {
        var verdict = REJECTED.get(reason);
        if (verdict == null) {
            throw new IllegalStateException("reason %s is not one of this stage".formatted(reason.code()));
        }
        return verdict;
    }
}
