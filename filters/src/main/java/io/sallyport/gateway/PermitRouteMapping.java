// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.pipeline.Permit;
import java.net.URI;
import org.springframework.cloud.gateway.config.GlobalCorsProperties;
import org.springframework.cloud.gateway.handler.RoutePredicateHandlerMapping;
import org.springframework.cloud.gateway.route.Route;
import org.springframework.cloud.gateway.route.RouteLocator;
import org.springframework.core.env.Environment;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * In place of the library's route look-up: the route that the permit in the Reactor context names. Without a permit there is no
 * route, whichever way the request came, and the library answers 404.
 */
public final class PermitRouteMapping extends RoutePredicateHandlerMapping {
    private static final RouteLocator NO_LOCATOR = Flux::empty;

    // By identity, and only while the snapshot that has the route is in use.
    private final LoadingCache<io.sallyport.pipeline.Route, Route> routes =
            Caffeine.newBuilder().weakKeys().build(PermitRouteMapping::compile);

    /** Takes what runs the filters of the route that is found here. */
    public PermitRouteMapping(PinnedWebHandler handler, Environment environment) {
        super(handler, NO_LOCATOR, new GlobalCorsProperties(), environment);
    }

    private static Route compile(io.sallyport.pipeline.Route route) {
        var plan = ForwardPlan.of(route);
        var target = plan.target();
        return Route.async()
                .id(route.toString())
                .uri(URI.create((target.tls() ? "https://" : "http://") + target.authority()))
                .predicate(_ -> true)
                .filters(((CompiledFilters) plan.filters()).filters())
                .build();
    }

    /** Without the CORS handling of the base class: other origins are the pipeline's and {@code ResponseHeaders}' to judge. */
    @Override
    @SuppressWarnings("unchecked") // a Mono of anything is a Mono of objects
    public Mono<Object> getHandler(ServerWebExchange exchange) {
        return (Mono<Object>) getHandlerInternal(exchange);
    }

    @Override
    protected Mono<Route> lookupRoute(ServerWebExchange exchange) {
        return Mono.deferContextual(context -> context.<Permit>getOrEmpty(Permit.class)
                .map(permit -> Mono.just(routes.get(permit.route())))
                .orElseGet(Mono::empty));
    }
}
