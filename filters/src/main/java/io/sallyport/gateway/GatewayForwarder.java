// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.ClientExchange;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.UpstreamAnswer;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.pipeline.Permit;
import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.gateway.support.ServerWebExchangeUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.codec.ServerCodecConfigurer;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebHandler;
import org.springframework.web.server.adapter.DefaultServerWebExchange;
import org.springframework.web.server.i18n.FixedLocaleContextResolver;
import org.springframework.web.server.i18n.LocaleContextResolver;
import org.springframework.web.server.session.WebSessionManager;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;

/**
 * The way of a route that lists {@code filters:}: an exchange of Spring's is made of what was permitted, runs through the
 * library's handler with the permit in the Reactor context, and its answer is written when the filters are done with it.
 *
 * <p>The library's handler is called as such, and not through Spring's {@code HttpHandler}: that one would turn every failure
 * into a 500 of its own before the gateway could say what failed.
 */
public final class GatewayForwarder implements Forwarder {
    private static final Denial TARGET_MALFORMED = new Denial.Rejected(Reason.EDGE_TARGET_MALFORMED);
    private static final Denial BODY_TOO_LARGE = new Denial.Rejected(Reason.EDGE_BODY_TOO_LARGE);
    private static final Denial HEADERS_TOO_LARGE = new Denial.Rejected(Reason.EDGE_HEADERS_TOO_LARGE);
    private static final Denial FAILED = new Denial.UpstreamFailed(Reason.FORWARD_FAILED);

    private static final WebSessionManager NO_SESSIONS =
            _ -> Mono.error(new IllegalStateException("the gateway keeps no sessions"));
    private static final ServerCodecConfigurer CODECS = ServerCodecConfigurer.create();
    private static final LocaleContextResolver LOCALE = new FixedLocaleContextResolver();

    private final WebHandler handler;

    /** Takes what finds the route that the permit names and runs its filters. */
    public GatewayForwarder(PermitRouteMapping routes) {
        this.handler = exchange -> routes.getHandler(exchange)
                .switchIfEmpty(Mono.error(() -> new ForwardFailure(FAILED, null)))
                .flatMap(found -> ((WebHandler) found).handle(exchange));
    }

    @Override
    public void forward(Permit permit, ClientExchange client) {
        permit.redeem();
        var exchange = exchangeOf(permit, client);
        if (exchange == null) {
            client.refuse(TARGET_MALFORMED);
            return;
        }
        var run = new FilterRun(exchange, client);
        client.onLeave(run);
        handler.handle(exchange)
                .contextWrite(context -> context.put(Permit.class, permit).put(ClientExchange.class, client))
                .subscribe(run);
    }

    /** The filters at work on one exchange. They, and what they call, may come from another thread. */
    private static final class FilterRun extends BaseSubscriber<Void> implements ClientExchange.Leave {
        private final ServerWebExchange exchange;
        private final ClientExchange client;

        FilterRun(ServerWebExchange exchange, ClientExchange client) {
            this.exchange = exchange;
            this.client = client;
        }

        @Override
        protected void hookOnComplete() {
            onEventLoop(() -> write(exchange, client));
        }

        @Override
        protected void hookOnError(Throwable error) {
            onEventLoop(() -> {
                discardAnswer(exchange);
                client.fail(error);
            });
        }

        private void onEventLoop(Runnable task) {
            if (client.eventLoop().inEventLoop()) {
                task.run();
            } else {
                client.eventLoop().execute(task);
            }
        }

        @Override
        public void clientLeft() {
            cancel();
            discardAnswer(exchange);
        }
    }

    private static @Nullable ServerWebExchange exchangeOf(Permit permit, ClientExchange client) {
        try {
            var exchange = new DefaultServerWebExchange(
                    new PermittedRequest(permit, client, upstreamUri(permit)),
                    new HeldResponse(),
                    NO_SESSIONS,
                    CODECS,
                    LOCALE);
            // What {variable} in the arguments of a filter stands for.
            ServerWebExchangeUtils.putUriTemplateVariables(
                    exchange, permit.context().pathVariables());
            return exchange;
        } catch (URISyntaxException e) {
            return null;
        }
    }

    /** Where the request goes, in the form that was authorized; filters may change its path and query and nothing else. */
    private static URI upstreamUri(Permit permit) throws URISyntaxException {
        var target = ForwardPlan.of(permit.route()).target();
        var query = permit.context().query();
        var uri = new StringBuilder(target.tls() ? "https://" : "http://")
                .append(target.authority())
                .append(permit.forwardedPath());
        if (query != null) {
            uri.append('?').append(query);
        }
        return new URI(uri.toString());
    }

    private static void write(ServerWebExchange exchange, ClientExchange client) {
        UpstreamAnswer answer = exchange.getAttribute(PinnedRoutingFilter.ANSWER);
        var edited = exchange.getResponse();
        var status = edited.getStatusCode();
        if (answer == null) {
            client.refuse(answeredByFilter(status == null ? 0 : status.value()));
            return;
        }
        try {
            answer.write(
                    status == null ? answer.status() : HttpResponseStatus.valueOf(status.value()),
                    nettyHeaders(edited.getHeaders()));
        } catch (RuntimeException e) {
            client.fail(e);
        }
    }

    // The filters on the list answer for one reason only: a size that they do not let pass.
    private static Denial answeredByFilter(int status) {
        return switch (status) {
            case 413 -> BODY_TOO_LARGE;
            case 431 -> HEADERS_TOO_LARGE;
            default -> FAILED;
        };
    }

    private static void discardAnswer(ServerWebExchange exchange) {
        UpstreamAnswer answer = exchange.getAttribute(PinnedRoutingFilter.ANSWER);
        if (answer != null) {
            answer.discard();
        }
    }

    static io.netty.handler.codec.http.HttpHeaders nettyHeaders(HttpHeaders headers) {
        var copy = DefaultHttpHeadersFactory.headersFactory().newHeaders();
        headers.forEach(copy::add);
        return copy;
    }
}
