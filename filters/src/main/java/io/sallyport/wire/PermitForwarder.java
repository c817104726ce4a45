// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.DirectForwarder;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/** Gives each permit to the one forwarder that its route was compiled for. */
public final class PermitForwarder implements Forwarder {
    private static final Denial UNMATCHED = new Denial.Rejected(Reason.AUTHORIZE_ROUTE_UNMATCHED);

    private final Forwarder local;
    private final Forwarder direct;
    private final Forwarder filtered;

    /**
     * Takes the three ways forward.
     *
     * @param local for the gateway's own answers
     * @param direct for routes that only forward
     * @param filtered for routes that list filters
     */
    public PermitForwarder(LocalForwarder local, Forwarder direct, Forwarder filtered) {
        this.local = local;
        this.direct = direct;
        this.filtered = filtered;
    }

    @Override
    public Mono<Void> forward(Permit permit, HttpServerRequest request, HttpServerResponse response) {
        return switch (permit.route().kind()) {
            case LOCAL -> local.forward(permit, request, response);
            case UPSTREAM -> (isDirect(permit.route()) ? direct : filtered).forward(permit, request, response);
            // authorize has let nobody come here; if it ever does, there is still nothing to forward to.
            case UNMATCHED -> Mono.error(new ForwardFailure(UNMATCHED, null));
        };
    }

    @Override
    public @Nullable DirectForwarder direct(Route route) {
        return route.kind() == Route.Kind.UPSTREAM && isDirect(route) ? direct.direct(route) : null;
    }

    private static boolean isDirect(Route route) {
        var plan = route.settings(StageName.FORWARD, ForwardPlan.class);
        return plan != null && plan.filters().isEmpty();
    }
}
