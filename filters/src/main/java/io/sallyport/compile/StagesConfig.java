// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.authenticate.AuthenticateConfig;
import io.sallyport.authorize.AuthorizeConfig;
import io.sallyport.config.Setting;
import io.sallyport.edge.EdgeConfig;
import io.sallyport.flood.FloodConfig;
import io.sallyport.pipeline.StageName;
import io.sallyport.pipeline.StageSection;
import io.sallyport.ratelimit.RateLimitConfig;
import io.sallyport.revocation.RevocationConfig;
import io.sallyport.risk.RiskConfig;
import io.sallyport.route.RouteConfig;
import java.util.EnumMap;
import java.util.Map;

/** Section {@code stages}: one key for each stage, in the order in which they judge. */
public record StagesConfig(
        @Setting(value = "Is this request unambiguous?", byDefault = "{}")
        EdgeConfig edge,

        @Setting(value = "Too many failures or connections from there?", byDefault = "{}")
        FloodConfig flood,

        @Setting(value = "Who is calling, proven how?", byDefault = "{}")
        AuthenticateConfig authenticate,

        @Setting(value = "Was that proof withdrawn?", byDefault = "{}")
        RevocationConfig revocation,

        @Setting(value = "Is it too much?", byDefault = "{}")
        RateLimitConfig ratelimit,

        @Setting(value = "Is it too strange?", byDefault = "{}")
        RiskConfig risk,

        @Setting(value = "May this caller do this, now?", byDefault = "{}")
        AuthorizeConfig authorize,

        @Setting(value = "Can the upstream take it?", byDefault = "{}")
        RouteConfig route) {

    /** The sections, by their stage. */
    Map<StageName, StageSection> byStage() {
        var sections = new EnumMap<StageName, StageSection>(StageName.class);
        sections.put(StageName.EDGE, edge);
        sections.put(StageName.FLOOD, flood);
        sections.put(StageName.AUTHENTICATE, authenticate);
        sections.put(StageName.REVOCATION, revocation);
        sections.put(StageName.RATELIMIT, ratelimit);
        sections.put(StageName.RISK, risk);
        sections.put(StageName.AUTHORIZE, authorize);
        sections.put(StageName.ROUTE, route);
        return sections;
    }
}
