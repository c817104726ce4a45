// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.authenticate.RouteAuthentication;
import io.sallyport.authorize.RouteAuthorization;
import io.sallyport.config.Setting;
import io.sallyport.edge.MatchConfig;
import io.sallyport.edge.PathRules;
import io.sallyport.forward.RewriteConfig;
import io.sallyport.forward.upstream.UpstreamConfig;
import io.sallyport.ratelimit.LimitConfig;
import io.sallyport.risk.RiskLadderConfig;
import io.sallyport.wire.answer.CorsConfig;
import io.sallyport.wire.answer.WebSocketConfig;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/**
 * Section {@code routes.<name>}: which requests, who may make them, how many, and who answers.
 *
 * @param match null only where what the file has is wrong
 * @param authorize likewise
 * @param upstream likewise
 */
public record RouteSection(
        @Setting(value = "Which requests are this route's.", required = true) @Nullable
        MatchConfig match,

        @Setting("What the paths of these requests may have that is refused elsewhere. Without it nothing.") @Nullable
        PathRules paths,

        @Setting("Whose tokens are accepted. Required unless authorize is public, and not allowed then.") @Nullable
        RouteAuthentication authenticate,

        @Setting(value = "Who may: the word public, or scopes and rules.", required = true) @Nullable
        RouteAuthorization authorize,

        @Setting(
                value = "How many requests one caller may make, by a name of your own; each request is charged to all.",
                byDefault = "{}")
        Map<String, LimitConfig> rateLimits,

        @Setting("What a risk score leads to. Without it none is asked for.") @Nullable
        RiskLadderConfig risk,

        @Setting("Which web pages of other origins may call this route. Without it none.") @Nullable
        CorsConfig cors,

        @Setting(
                value =
                        "Identity headers that clients may send on this route, although they are removed everywhere else. The upstream must not"
                                + " take them for the gateway's word.",
                byDefault = "[]")
        List<String> acceptClientHeader,

        @Setting("That requests may become WebSockets. Without it they are forwarded as if they did not ask to.")
        @Nullable
        WebSocketConfig websocket,

        @Setting(
                value =
                        "Filters of Spring Cloud Gateway that change the request or the answer on their way, in their order:"
                                + " StripPrefix=1.",
                byDefault = "[]")
        List<String> filters,

        @Setting("What of an answer that names the upstream is made to name the gateway. Without it nothing.") @Nullable
        RewriteConfig rewrite,

        @Setting("The longest request body; as stages.edge.max-body says when absent. A longer one is a 413.") @Nullable
        DataSize maxBody,

        @Setting(value = "What holds for a stage on this route, by the stage's name.", byDefault = "{}")
        Map<String, StageOverride> stages,

        @Setting(value = "Who answers.", required = true) @Nullable
        UpstreamConfig upstream) {}
