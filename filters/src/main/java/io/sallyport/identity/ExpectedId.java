// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import io.sallyport.config.InvalidSetting;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * A workload that a route names, as its upstream or its caller: a SPIFFE ID, or one whose path has {@code *} in place of whole segments. A {@code *} stands
 * for exactly one segment; the trust domain is always exact, and at least one segment is, so that none means "anyone whom
 * that trust domain vouches for".
 */
public final class ExpectedId {
    private static final String EXPECTED =
            "the SPIFFE ID of a workload, for example spiffe://example.org/ns/orders/sa/orders-api;"
                    + " a whole segment of its path may be *, not all of them";
    private static final String ANY = "*";
    private static final Pattern STAR_SEGMENT = Pattern.compile("(?<!/)/\\*(?=/|$)");

    private final String text;
    private final TrustDomain trustDomain;
    private final List<String> segments;

    private ExpectedId(String text, TrustDomain trustDomain, List<String> segments) {
        this.text = text;
        this.trustDomain = trustDomain;
        this.segments = segments;
    }

    /**
     * Reads one as the operator wrote it.
     *
     * @throws InvalidSetting if it is not the one spelling of a workload's ID
     */
    public static ExpectedId parse(String text) {
        // With a letter where a star may stand, the path is right or wrong for the same reasons.
        var id = StrictSpiffeId.parseWorkload(STAR_SEGMENT.matcher(text).replaceAll("/x"));
        if (id == null) {
            throw new InvalidSetting("", text, EXPECTED);
        }
        var segments = segmentsOf(text.substring(text.length() - id.getPath().length()));
        if (segments.stream().allMatch(ANY::equals)) {
            throw new InvalidSetting("", text, EXPECTED);
        }
        return new ExpectedId(text, id.getTrustDomain(), segments);
    }

    private static List<String> segmentsOf(String path) {
        return List.of(path.substring(1).split("/", -1));
    }

    TrustDomain trustDomain() {
        return trustDomain;
    }

    /** Whether that is the expected workload. */
    boolean matches(SpiffeId actual) {
        if (!trustDomain.equals(actual.getTrustDomain()) || actual.getPath().isEmpty()) {
            return false;
        }
        var presented = segmentsOf(actual.getPath());
        if (presented.size() != segments.size()) {
            return false;
        }
        for (int i = 0; i < presented.size(); i++) {
            var expected = segments.get(i);
            if (!expected.equals(ANY) && !expected.equals(presented.get(i))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ExpectedId that && text.equals(that.text);
    }

    @Override
    public int hashCode() {
        return Objects.hashCode(text);
    }

    /** As the operator wrote it. */
    @Override
    public String toString() {
        return text;
    }
}
