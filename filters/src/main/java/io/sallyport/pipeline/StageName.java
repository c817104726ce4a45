// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.decision.Mode;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * The eight stages in the order in which they judge, and {@code forward}, which judges nothing but can still fail a request
 * and hangs its compiled settings on the route like they do.
 */
public enum StageName {
    EDGE(EnumSet.of(Mode.ENFORCE)),
    FLOOD(EnumSet.of(Mode.ENFORCE)),
    AUTHENTICATE(EnumSet.of(Mode.OBSERVE, Mode.ENFORCE)),
    REVOCATION(EnumSet.allOf(Mode.class)),
    RATELIMIT(EnumSet.allOf(Mode.class)),
    RISK(EnumSet.allOf(Mode.class)),
    AUTHORIZE(EnumSet.of(Mode.OBSERVE, Mode.ENFORCE)),
    ROUTE(EnumSet.of(Mode.ENFORCE)),
    FORWARD(EnumSet.of(Mode.ENFORCE));

    private final String code = name().toLowerCase(Locale.ROOT);
    private final Set<Mode> modes;

    StageName(Set<Mode> modes) {
        this.modes = Set.copyOf(modes);
    }

    /** As it stands in the configuration file, in reason codes and in records: {@code authenticate}. */
    public String code() {
        return code;
    }

    /** Whether this stage may run in that mode at all. */
    public boolean knows(Mode mode) {
        return modes.contains(mode);
    }

    /** Whether this stage may answer {@code Undecided} and have a fault policy: those that can also be switched off. */
    public boolean mayBeUndecided() {
        return modes.contains(Mode.OFF);
    }

    /** Whether observing this stage opens a route, so that it takes {@code insecure-observe: true} on that very route. */
    public boolean observingIsInsecure() {
        return this == AUTHENTICATE || this == AUTHORIZE;
    }
}
