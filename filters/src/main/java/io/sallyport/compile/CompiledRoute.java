// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.authenticate.AcceptedTokens;
import io.sallyport.edge.PathRules;
import io.sallyport.edge.RouteTable;
import io.sallyport.route.UpstreamCapacity;
import io.sallyport.wire.answer.CorsRules;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of one section {@code routes.<name>}, with what other routes of the file have to know of it.
 *
 * @param capacity what it says of its upstream, even if that is nothing
 * @param scopes for the metadata of its hosts
 * @param cors for the preflights; null for none
 * @param paths for the preflights too
 */
record CompiledRoute(
        String name,
        UpstreamCapacity capacity,
        List<String> scopes,
        @Nullable CorsRules cors,
        PathRules paths,
        List<OnHost> hosts) {
    CompiledRoute {
        scopes = List.copyOf(scopes);
        hosts = List.copyOf(hosts);
    }

    /** @param accepted null if the route is public */
    record OnHost(RouteTable.Entry entry, @Nullable AcceptedTokens accepted) {}
}
