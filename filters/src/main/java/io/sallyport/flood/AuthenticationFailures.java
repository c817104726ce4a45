// SPDX-License-Identifier: Apache-2.0
package io.sallyport.flood;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.StageName;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How often authentication failed within the last minute, by the client's network and by subject. Outlives every reload; holds
 * at most as many entries as it was made for, of each kind, and forgets the least used when there are more.
 *
 * <p>A credential that {@code authenticate} looked at and refused (401 or 400) counts against the network, whether the refusal
 * was enforced or observed. A missing credential does not: nothing was tried, nothing was verified, and every login flow begins
 * with one. A 503 does not: it is our fault. A verified token that {@code revocation} refused counts against its subject, whose
 * revoked credentials are in use, and not against the network.
 */
public final class AuthenticationFailures {
    private static final int DEFAULT_CAPACITY = 131_072;

    private static final Set<Reason> OF_NETWORK = EnumSet.noneOf(Reason.class);
    private static final Set<Reason> OF_SUBJECT = EnumSet.noneOf(Reason.class);

    static {
        for (var reason : Reason.values()) {
            if (reason.origin().equals(StageName.AUTHENTICATE.code()) && reason.status() < 500) {
                OF_NETWORK.add(reason);
            }
            if (reason.origin().equals(StageName.REVOCATION.code()) && reason.status() == 401) {
                OF_SUBJECT.add(reason);
            }
        }
        OF_NETWORK.remove(Reason.AUTHENTICATE_JWT_MISSING);
        OF_NETWORK.remove(Reason.AUTHENTICATE_CERTIFICATE_MISSING);
    }

    private final Cache<Long, SlidingMinute> byNetwork;
    private final Cache<SubjectKey, SlidingMinute> bySubject;

    public AuthenticationFailures() {
        this(DEFAULT_CAPACITY);
    }

    /** @param capacity how many networks, and how many subjects, are remembered at most */
    AuthenticationFailures(int capacity) {
        this.byNetwork = bounded(capacity);
        this.bySubject = bounded(capacity);
    }

    private static <K> Cache<K, SlidingMinute> bounded(int capacity) {
        // Evicts on the thread that adds: a flood then pays for its own entries, and no other pool is woken.
        return Caffeine.newBuilder()
                .maximumSize(capacity)
                .executor(Runnable::run)
                .build();
    }

    /** Takes note if the request's outcome, or a denial of it that was only observed, is a failed authentication. */
    void record(RequestContext context, Outcome outcome) {
        if (outcome instanceof Outcome.Refused(Denial denial)) {
            record(context, denial.reason());
        }
        var observed = context.wouldDeny();
        for (int i = 0; i < observed.size(); i++) {
            record(context, observed.get(i).denial().reason());
        }
    }

    private void record(RequestContext context, Reason reason) {
        if (OF_NETWORK.contains(reason)) {
            var client = context.client();
            if (client != null) {
                add(byNetwork, client.network(), context);
            }
        } else if (OF_SUBJECT.contains(reason) && context.principal() instanceof Principal.Subject subject) {
            add(bySubject, SubjectKey.of(subject), context);
        }
    }

    private static <K> void add(Cache<K, SlidingMinute> cache, K key, RequestContext context) {
        var minute = cache.get(key, _ -> new SlidingMinute());
        minute.add(context.receivedAt().getEpochSecond());
    }

    /** How long this network has to wait until fewer than {@code limit} of its failures are left: 0 to 60 seconds. */
    int secondsUntilBelow(int limit, long network, long epochSecond) {
        var minute = byNetwork.getIfPresent(network);
        return minute == null ? 0 : minute.secondsUntilBelow(limit, epochSecond);
    }

    /** The failures of the last minute that speak against this request: of its network or of its subject, the larger. */
    public int lastMinute(RequestContext context) {
        long now = context.receivedAt().getEpochSecond();
        int failures = 0;
        var client = context.client();
        if (client != null) {
            failures = count(byNetwork.getIfPresent(client.network()), now);
        }
        if (context.principal() instanceof Principal.Subject subject) {
            failures = Math.max(failures, count(bySubject.getIfPresent(SubjectKey.of(subject)), now));
        }
        return failures;
    }

    private static int count(@Nullable SlidingMinute minute, long epochSecond) {
        return minute == null ? 0 : minute.count(epochSecond);
    }

    /** How many networks and subjects are remembered just now. */
    long size() {
        byNetwork.cleanUp();
        bySubject.cleanUp();
        return byNetwork.estimatedSize() + bySubject.estimatedSize();
    }

    private record SubjectKey(String issuer, String subject) {
        static SubjectKey of(Principal.Subject subject) {
            return new SubjectKey(subject.issuer(), subject.subject());
        }
    }
}
