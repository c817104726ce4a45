// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.decision.Mode;
import java.util.Locale;

/**
 * The eight stages in the order in which they judge, and {@code forward}, which judges nothing but can still fail a request
 * and hangs its compiled settings on the route like they do.
 */
public enum StageName {
    EDGE,
    FLOOD,
    AUTHENTICATE,
    REVOCATION,
    RATELIMIT,
    RISK,
    AUTHORIZE,
    ROUTE,
    FORWARD;

    private final String code = name().toLowerCase(Locale.ROOT);

    /** As it stands in the configuration file, in reason codes and in records: {@code authenticate}. */
    public String code() {
        return code;
    }

    /** Whether this stage may run in that mode at all. */
    public boolean knows(Mode mode) {
        return switch (this) {
            case REVOCATION, RATELIMIT, RISK -> true;
            case AUTHENTICATE, AUTHORIZE -> mode != Mode.OFF;
            case EDGE, FLOOD, ROUTE, FORWARD -> mode == Mode.ENFORCE;
        };
    }

    /** Whether this stage may answer {@code Undecided} and have a fault policy: those that can also be switched off. */
    public boolean mayBeUndecided() {
        return knows(Mode.OFF);
    }

    /** Whether observing this stage opens a route, so that it takes {@code insecure-observe: true} on that very route. */
    public boolean observingIsInsecure() {
        return this == AUTHENTICATE || this == AUTHORIZE;
    }
}
