// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import static org.springframework.cloud.gateway.support.ServerWebExchangeUtils.GATEWAY_REQUEST_URL_ATTR;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.edge.CanonicalPaths;
import io.sallyport.edge.PathRules;
import io.sallyport.forward.ClientExchange;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.UpstreamAnswer;
import io.sallyport.forward.UpstreamClient;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.pipeline.Permit;
import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.filter.GatewayFilterChain;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * The last filter, in place of the library's {@code NettyRoutingFilter}: sends the request, as the filters before it have left
 * it, to the upstream that the permit names and to no other. The answer's head then goes back through the same filters.
 */
public final class PinnedRoutingFilter implements GatewayFilter {
    /** The exchange's attribute that holds the {@link UpstreamAnswer} until somebody writes or discards it. */
    static final String ANSWER = PinnedRoutingFilter.class.getName() + ".answer";

    private static final Denial PERMIT_MISSING = new Denial.Rejected(Reason.FORWARD_PERMIT_MISSING);
    private static final Denial TARGET_CHANGED = new Denial.UpstreamFailed(Reason.FORWARD_TARGET_CHANGED);
    private static final Denial REWRITE_REFUSED = new Denial.UpstreamFailed(Reason.FORWARD_REWRITE_REFUSED);
    private static final int LAST_LATIN_1 = 0xff;

    private final UpstreamClient upstreams;

    public PinnedRoutingFilter(UpstreamClient upstreams) {
        this.upstreams = upstreams;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, GatewayFilterChain chain) {
        return Mono.deferContextual(context -> {
            Permit permit = context.getOrDefault(Permit.class, null);
            ClientExchange client = context.getOrDefault(ClientExchange.class, null);
            return permit == null || client == null
                    ? Mono.error(new ForwardFailure(PERMIT_MISSING, null))
                    : send(permit, client, exchange);
        });
    }

    private Mono<Void> send(Permit permit, ClientExchange client, ServerWebExchange exchange) {
        var request = exchange.getRequest();
        var target = ForwardPlan.of(permit.route()).target();
        var uri = request.getURI();
        if (!isOf(target, uri) || !isOf(target, exchange.getAttribute(GATEWAY_REQUEST_URL_ATTR))) {
            return refused(TARGET_CHANGED, String.valueOf(uri.getRawAuthority()));
        }
        if (!CanonicalPaths.isCanonical(uri.getRawPath(), pathsOf(permit))) {
            return refused(REWRITE_REFUSED, "path");
        }
        if (!areLatin1(request.getHeaders())) {
            return refused(REWRITE_REFUSED, "header value");
        }
        return Mono.create(sink -> {
            var caller = new UpstreamClient.Caller() {
                @Override
                public void answered(UpstreamAnswer answer) {
                    hold(answer, exchange);
                    sink.success();
                }

                @Override
                public void failed(ClientExchange client, Throwable why) {
                    sink.error(why);
                }
            };
            var attempt = upstreams.attempt(
                    permit, client, targetOf(uri), GatewayForwarder.nettyHeaders(request.getHeaders()), caller);
            // Cancelled on the event loop, by the client's leave.
            sink.onCancel(attempt::clientLeft);
            attempt.begin();
        });
    }

    /** A filter makes no path that the route would not have let in. */
    private static PathRules pathsOf(Permit permit) {
        return ForwardPlan.of(permit.route()).filters() instanceof CompiledFilters filters
                ? filters.paths()
                : PathRules.STRICT;
    }

    private static Mono<Void> refused(Denial denial, String detail) {
        return Mono.error(new ForwardFailure(denial.with(Evidence.Key.DETAIL, detail), null));
    }

    /** @param uri where the request goes, or where the library's own filter would look; its path alone, where a filter set that */
    private static boolean isOf(UpstreamTarget target, @Nullable URI uri) {
        return uri == null
                || (uri.getScheme() == null && uri.getRawAuthority() == null)
                || ((target.tls() ? "https" : "http").equals(uri.getScheme())
                        && target.authority().equals(uri.getRawAuthority()));
    }

    // Values are sent as Latin-1: two that differ beyond it, the names of tenants perhaps, would become the same.
    private static boolean areLatin1(HttpHeaders headers) {
        for (var field : headers.headerSet()) {
            for (var value : field.getValue()) {
                if (value.chars().anyMatch(character -> character > LAST_LATIN_1)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static String targetOf(URI uri) {
        var query = uri.getRawQuery();
        return query == null ? uri.getRawPath() : uri.getRawPath() + '?' + query;
    }

    private static void hold(UpstreamAnswer answer, ServerWebExchange exchange) {
        exchange.getAttributes().put(ANSWER, answer);
        var response = exchange.getResponse();
        response.setStatusCode(HttpStatusCode.valueOf(answer.status().code()));
        var headers = response.getHeaders();
        for (var field : answer.headers()) {
            headers.add(field.getKey(), field.getValue());
        }
    }
}
