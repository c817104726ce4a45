// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ingress;

import io.sallyport.authenticate.AuthenticateStage;
import io.sallyport.authorize.AuthorizeStage;
import io.sallyport.edge.EdgeStage;
import io.sallyport.flood.FloodStage;
import io.sallyport.forward.Forwarder;
import io.sallyport.pipeline.OutcomeListener;
import io.sallyport.ratelimit.RateLimitStage;
import io.sallyport.revocation.RevocationStage;
import io.sallyport.risk.RiskStage;
import io.sallyport.route.RouteStage;

/** THE list: what happens to a request, and in which order, is read here and nowhere else. */
public final class IngressPipeline {
    private IngressPipeline() {}

    /**
     * Puts the way of a request together. No order is configured, and no stage can be left out.
     *
     * @param forward takes permits: {@code PermitForwarder}
     * @param metrics told once about each request's end
     * @param decisionLog likewise, after that
     */
    public static Ingress create(
            EdgeStage edge,
            FloodStage flood,
            AuthenticateStage authenticate,
            RevocationStage revocation,
            RateLimitStage rateLimit,
            RiskStage risk,
            AuthorizeStage authorize,
            RouteStage route,
            Forwarder forward,
            OutcomeListener metrics,
            OutcomeListener decisionLog) {
        return Ingress.decide(
                        edge, // refuse the ambiguous, canonicalize the path, match the route, drop spoofable headers
                        flood, // too many failures or connections from there? before any signature is verified
                        authenticate, // who is calling, proven how?  ->  Principal
                        revocation, // was that token, session, subject or client revoked since?
                        rateLimit, // per principal, client and route
                        risk, // score the signals; may ask for step-up (RFC 9470)
                        authorize, // the policy enforcement point: may this caller do this, now?
                        route) // is the matched upstream able to take it? leases breaker and bulkhead
                .forward(forward) // the only consumer of a permit: pinned mTLS, last edit before the wire
                .record(metrics, decisionLog); // exactly once, on every path out, cancel included
    }
}
