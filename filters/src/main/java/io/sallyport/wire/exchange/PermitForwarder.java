// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.ClientExchange;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.RequestHeaders;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.Route;
import io.sallyport.wire.answer.LocalForwarder;

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
    public PermitForwarder(Forwarder local, Forwarder direct, Forwarder filtered) {
        this.local = local;
        this.direct = direct;
        this.filtered = filtered;
    }

    @Override
    public void forward(Permit permit, ClientExchange client) {
        switch (permit.route().kind()) {
            case LOCAL -> local.forward(permit, client);
            case UPSTREAM -> forwardUpstream(permit, client);
            // authorize has let nobody come here; if it ever does, there is still nothing to forward to.
            case UNMATCHED -> client.refuse(UNMATCHED);
        }
    }

    private void forwardUpstream(Permit permit, ClientExchange client) {
        if (RequestHeaders.isForUs(permit.context().head())) {
            LocalForwarder.answerLast(permit, client);
        } else {
            (isDirect(permit.route()) ? direct : filtered).forward(permit, client);
        }
    }

    private static boolean isDirect(Route route) {
        return ForwardPlan.of(route).filters().isEmpty();
    }
}
