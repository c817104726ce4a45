// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Findings;
import io.sallyport.config.NearestName;
import io.sallyport.decision.Mode;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.pipeline.StageSection;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which mode and fault policy each stage has on each route: what {@code stages} says, over it what the route's own {@code stages}
 * says. The one place where a combination that a stage does not know, or that would open a route silently, is refused.
 */
final class StageModes {
    private static final String UNDECIDED_KEY = "on-undecided";

    private final Map<StageName, StageSection> everywhere = new EnumMap<>(StageName.class);

    private StageModes() {}

    /** Reads the two keys of every stage in section {@code stages}. */
    static StageModes compile(StagesConfig config, Findings.Place at) {
        var modes = new StageModes();
        config.byStage().forEach((stage, section) -> modes.add(stage, section, at));
        return modes;
    }

    private void add(StageName stage, StageSection written, Findings.Place at) {
        if (isKnown(stage, written, at.child(stage.code())) && !observesInsecurely(stage, written.mode(), false, at)) {
            everywhere.put(stage, written);
        }
    }

    /** Applies what holds for every route, for those that the operator did not write: built-in ones. */
    void applyTo(Route.Builder route) {
        everywhere.forEach((stage, written) -> apply(stage, written, route));
    }

    /**
     * Checks a route's own section {@code stages}.
     *
     * @param at the route
     */
    void check(RouteSection section, Findings.Place at) {
        section.stages().forEach((name, written) -> {
            var stage = stageNamed(name);
            var place = at.child("stages");
            if (stage == null) {
                place.child(name).reject("unknown stage", NearestName.expectation(name, codes()));
            } else if (isKnown(stage, written, place.child(name))) {
                observesInsecurely(stage, written.mode(), observesInsecurely(stage, section), place);
            }
        });
    }

    /** Applies to a route that {@link #check} found right. */
    void applyTo(Route.Builder route, RouteSection section) {
        applyTo(route);
        section.stages().forEach((name, written) -> {
            var stage = stageNamed(name);
            if (stage != null) {
                apply(stage, written, route);
            }
        });
        for (var stage : StageName.values()) {
            if (observesInsecurely(stage, section)) {
                route.mode(stage, Mode.OBSERVE);
            }
        }
    }

    private static void apply(StageName stage, StageSection written, Route.Builder route) {
        if (written.mode() != null) {
            route.mode(stage, written.mode());
        }
        if (written.onUndecided() != null) {
            route.onUndecided(stage, written.onUndecided());
        }
    }

    private static boolean isKnown(StageName stage, StageSection written, Findings.Place at) {
        boolean known = true;
        if (written.mode() != null && !stage.knows(written.mode())) {
            at.child("mode")
                    .reject(
                            word(written.mode()),
                            "%s, which is all that %s knows".formatted(knownModes(stage), stage.code()));
            known = false;
        }
        if (written.onUndecided() != null && !stage.mayBeUndecided()) {
            at.child(UNDECIDED_KEY)
                    .reject(
                            word(written.onUndecided()),
                            "nothing: %s always decides, and denies when it cannot".formatted(stage.code()));
            known = false;
        }
        return known;
    }

    /** Observing one of these stages lets everybody in, so the word has to stand on the very route, and be this one. */
    private static boolean observesInsecurely(
            StageName stage, @Nullable Mode mode, boolean written, Findings.Place at) {
        if (!stage.observingIsInsecure() || mode == null || (mode == Mode.OBSERVE) == written) {
            return false;
        }
        at.child(stage.code())
                .child("mode")
                .reject(
                        word(mode),
                        written
                                ? "observe, or nothing: %s of this route says insecure-observe: true"
                                        .formatted(stage.code())
                                : "enforce: a route is opened by insecure-observe: true in its own section %s alone"
                                        .formatted(stage.code()));
        return true;
    }

    private static boolean observesInsecurely(StageName stage, RouteSection section) {
        return switch (stage) {
            case AUTHENTICATE ->
                section.authenticate() != null && section.authenticate().insecureObserve();
            case AUTHORIZE -> section.authorize() != null && section.authorize().insecureObserve();
            case EDGE, FLOOD, REVOCATION, RATELIMIT, RISK, ROUTE, FORWARD -> false;
        };
    }

    private static String knownModes(StageName stage) {
        var known = new ArrayList<String>();
        for (var mode : Mode.values()) {
            if (stage.knows(mode)) {
                known.add(word(mode));
            }
        }
        return String.join(" or ", known);
    }

    private static @Nullable StageName stageNamed(String code) {
        for (var stage : StageName.values()) {
            if (stage.code().equals(code) && stage != StageName.FORWARD) {
                return stage;
            }
        }
        return null;
    }

    private static List<String> codes() {
        var codes = new ArrayList<String>();
        for (var stage : StageName.values()) {
            if (stage != StageName.FORWARD) {
                codes.add(stage.code());
            }
        }
        return codes;
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
