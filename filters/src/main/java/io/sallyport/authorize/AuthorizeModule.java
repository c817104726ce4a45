// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize;

import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.authorize.cel.CelRules;
import io.sallyport.config.Findings;
import io.sallyport.pipeline.StageModule;
import java.time.InstantSource;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The stage {@code authorize} and its decision points.
 *
 * @param meters where rules that cannot be evaluated are counted
 */
public record AuthorizeModule(MeterRegistry meters) implements StageModule {
    /** Opens the clients that the section names: there is none yet. */
    public static AuthorizeModule open(AuthorizeConfig config, InstantSource clock, MeterRegistry meters) {
        return inMemory(meters);
    }

    /** Opens nothing outside this process. */
    public static AuthorizeModule inMemory(MeterRegistry meters) {
        return new AuthorizeModule(meters);
    }

    @Override
    public AuthorizeStage stage() {
        return new AuthorizeStage(meters);
    }

    /**
     * Compiles {@code routes.<name>.authorize}.
     *
     * @param pathVariables the names of the {@code {var}} segments of the route's path; a rule that reads another is wrong
     * @param at each rule that is wrong gets a finding of its own
     * @return null if the route is public, or if any rule is wrong
     */
    public @Nullable RouteRules compile(RouteAuthorization section, Set<String> pathVariables, Findings.Place at) {
        if (section.isPublic()) {
            return null;
        }
        var rules = CelRules.compile(section.allow(), section.deny(), pathVariables, at);
        return rules == null ? null : new RouteRules(section.scopes(), rules);
    }
}
