// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.util.Arrays;
import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The workloads that a peer of a route may prove to be: its upstream (the pin) or its callers. Equal however they were ordered,
 * for pins key TLS contexts and connection pools. An empty one matches nobody.
 */
public final class ExpectedIds {
    private final ExpectedId[] ids;
    private final String text;

    private ExpectedIds(ExpectedId[] ids, String text) {
        this.ids = ids;
        this.text = text;
    }

    public static ExpectedIds of(Collection<ExpectedId> ids) {
        var sorted = ids.stream()
                .distinct()
                .sorted((a, b) -> a.toString().compareTo(b.toString()))
                .toList();
        return new ExpectedIds(
                sorted.toArray(ExpectedId[]::new),
                sorted.stream().map(ExpectedId::toString).collect(Collectors.joining(",")));
    }

    /** Everybody who is one of some of these. */
    public static ExpectedIds union(Collection<ExpectedIds> all) {
        return of(all.stream().flatMap(each -> Arrays.stream(each.ids)).toList());
    }

    public boolean isEmpty() {
        return ids.length == 0;
    }

    /** Whether the peer that proved this ID is one of the expected. */
    public boolean match(SpiffeId actual) {
        for (var id : ids) {
            if (id.matches(actual)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a workload of one of these trust domains may be one of the expected. */
    public boolean concern(Set<TrustDomain> trustDomains) {
        for (var id : ids) {
            if (trustDomains.contains(id.trustDomain())) {
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ExpectedIds that && text.equals(that.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** Joined by comma, sorted: for records and metrics. */
    @Override
    public String toString() {
        return text;
    }
}
