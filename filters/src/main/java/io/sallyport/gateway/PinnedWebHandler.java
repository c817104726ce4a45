// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import java.util.ArrayList;
import java.util.List;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.handler.FilteringWebHandler;
import org.springframework.cloud.gateway.route.Route;

/**
 * Runs a route's own filters and then {@link PinnedRoutingFilter}, in the order of the file. The library's global filters are
 * not asked: each of them chooses an upstream, writes an answer, or measures what the decision log measures.
 */
public final class PinnedWebHandler extends FilteringWebHandler {
    private final PinnedRoutingFilter routing;

    public PinnedWebHandler(PinnedRoutingFilter routing) {
        super(List.of(), false);
        this.routing = routing;
    }

    @Override
    protected List<GatewayFilter> getCombinedFilters(Route route) {
        var filters = new ArrayList<>(route.getFilters());
        filters.add(routing);
        return filters;
    }
}
