// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.identity.IdentityHeaders;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import java.util.List;

/**
 * What {@link EdgeStage} needs to know of one generation of the configuration.
 *
 * @param trustedProxies whose {@code X-Forwarded-For} is believed
 * @param headLimits the listener's, for what did not pass {@code FramingGuard}
 * @param bodyLimit for routes that have none of their own
 * @param identityHeaders removed from every request, but for what its route lets pass
 */
public record EdgeSettings(
        RouteTable routes,
        List<Cidr> trustedProxies,
        HeadLimits headLimits,
        BodyLimit bodyLimit,
        IdentityHeaders identityHeaders) {

    public EdgeSettings {
        trustedProxies = List.copyOf(trustedProxies);
    }

    /** The settings for the snapshot, from the section {@code stages.edge} and what the listener says. */
    public static EdgeSettings compile(
            EdgeConfig config,
            RouteTable routes,
            List<Cidr> trustedProxies,
            HeadLimits headLimits,
            IdentityHeaders identityHeaders) {
        return new EdgeSettings(routes, trustedProxies, headLimits, BodyLimit.of(config.maxBody()), identityHeaders);
    }

    /** The limit of that route, or else the gateway's. */
    public BodyLimit bodyLimitOf(Route route) {
        var own = route.settings(StageName.EDGE, BodyLimit.class);
        return own == null ? bodyLimit : own;
    }
}
