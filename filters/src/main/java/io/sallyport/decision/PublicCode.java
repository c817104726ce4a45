// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

/**
 * What a client is told: the coarse code in {@code type} and its {@code title} (RFC 9457). Deliberately few, so that an
 * answer discloses nothing that the status does not; the exact {@link Reason} is for the operator's record alone.
 */
public enum PublicCode {
    UNAUTHENTICATED("Authentication required"),
    FORBIDDEN("Forbidden"),
    STEP_UP_REQUIRED("Stronger authentication required"),
    RATE_LIMITED("Too many requests"),
    BAD_REQUEST("Bad request"),
    NOT_FOUND("Not found"),
    METHOD_NOT_ALLOWED("Method not allowed"),
    TOO_LARGE("Too large"),
    MISDIRECTED("Misdirected request"),
    UNAVAILABLE("Temporarily unavailable"),
    UPSTREAM_UNAVAILABLE("Upstream unavailable");

    private final String code = name().toLowerCase(java.util.Locale.ROOT);
    private final String title;

    PublicCode(String title) {
        this.title = title;
    }

    /** The last segment of the problem type, for example {@code rate_limited}. */
    public String code() {
        return code;
    }

    /** The problem's {@code title}: short, the same for every occurrence. */
    public String title() {
        return title;
    }
}
