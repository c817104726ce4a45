// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import io.sallyport.edge.PathRules;
import io.sallyport.forward.RouteFilters;
import java.util.List;
import org.springframework.cloud.gateway.filter.GatewayFilter;

/**
 * The filters of one route, ready to run.
 *
 * @param filters in the order of the file
 * @param paths what the paths of the route may have
 */
public record CompiledFilters(List<GatewayFilter> filters, PathRules paths) implements RouteFilters {
    public CompiledFilters {
        filters = List.copyOf(filters);
    }

    @Override
    public boolean isEmpty() {
        return filters.isEmpty();
    }
}
