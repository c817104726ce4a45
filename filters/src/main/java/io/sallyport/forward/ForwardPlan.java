// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import org.jspecify.annotations.Nullable;

/**
 * What forwarding has to know of a route; hangs on it under {@link StageName#FORWARD}.
 *
 * @param filters what the operator lets change the request and the answer on their way
 * @param cors what the answer says to pages of other origins; null to say nothing, whatever the upstream says
 * @param stream how long one exchange may last
 * @param webSocket on what terms a request may become a WebSocket; null if none may, and nobody notices that one asks
 * @param rewrite what of an answer is made to name the gateway; null if nothing is
 * @param disclosure what the upstream is told of the caller
 */
public record ForwardPlan(
        UpstreamTarget target,
        RouteFilters filters,
        @Nullable CorsPolicy cors,
        StreamLimit stream,
        @Nullable WebSocketPlan webSocket,
        @Nullable AnswerRewrite rewrite,
        Disclosure disclosure) {
    /** One of a route whose answers say what they say. */
    public ForwardPlan(
            UpstreamTarget target,
            RouteFilters filters,
            @Nullable CorsPolicy cors,
            StreamLimit stream,
            @Nullable WebSocketPlan webSocket,
            Disclosure disclosure) {
        this(target, filters, cors, stream, webSocket, null, disclosure);
    }

    /**
     * The plan of a route.
     *
     * @throws IllegalStateException if it has none, because no upstream answers it
     */
    public static ForwardPlan of(Route route) {
        return route.requireSettings(StageName.FORWARD, ForwardPlan.class);
    }
}
