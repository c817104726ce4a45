// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit.store;

import io.sallyport.identity.Principal;
import io.sallyport.pipeline.RequestContext;

/**
 * Whose units a request takes: one key of one policy of one route. Equal over reloads, so that a bucket survives them.
 *
 * @param kind what {@code scope} and {@code value} are, so that a subject never shares a bucket with a client of the same name
 * @param scope the issuer of a subject, client or claim value; else empty
 * @param number the network of an address; else 0
 */
public record PartitionKey(String route, String policy, Kind kind, String scope, String value, long number) {
    /** What a key is of. */
    public enum Kind {
        SUBJECT,
        CLIENT,
        CLAIM,
        WORKLOAD,
        ADDRESS,
        ROUTE
    }

    /**
     * The key of that request under that policy.
     *
     * @throws IllegalStateException if it is counted by an address, and the client's is not known
     */
    public static PartitionKey of(RatePolicy policy, RequestContext context) {
        return switch (policy.key()) {
            case LimitKey.Word.SUBJECT -> bySubject(policy, context);
            case LimitKey.Word.CLIENT -> byClient(policy, context);
            case LimitKey.Word.ADDRESS -> byAddress(policy, context);
            case LimitKey.Word.ROUTE -> of(policy, Kind.ROUTE, "", "");
            case LimitKey.Claim claim -> byClaim(policy, claim, context);
        };
    }

    private static PartitionKey of(RatePolicy policy, Kind kind, String scope, String value) {
        return new PartitionKey(policy.route(), policy.name().value(), kind, scope, value, 0);
    }

    private static PartitionKey bySubject(RatePolicy policy, RequestContext context) {
        return switch (context.principal()) {
            case Principal.Subject subject -> of(policy, Kind.SUBJECT, subject.issuer(), subject.subject());
            case Principal.Workload workload ->
                of(policy, Kind.WORKLOAD, "", workload.spiffeId().toString());
            case Principal.Anonymous _ -> byAddress(policy, context);
        };
    }

    private static PartitionKey byClient(RatePolicy policy, RequestContext context) {
        if (context.principal() instanceof Principal.Subject subject) {
            var client = subject.clientId();
            if (client != null) {
                return of(policy, Kind.CLIENT, subject.issuer(), client);
            }
        }
        return bySubject(policy, context);
    }

    private static PartitionKey byClaim(RatePolicy policy, LimitKey.Claim claim, RequestContext context) {
        if (context.principal() instanceof Principal.Subject subject) {
            var value = claim.path().in(subject.claims());
            // An object or a list names nobody; what is rendered of it could also grow without bound.
            if (value instanceof String || value instanceof Number || value instanceof Boolean) {
                return of(policy, Kind.CLAIM, subject.issuer(), value.toString());
            }
        }
        return bySubject(policy, context);
    }

    private static PartitionKey byAddress(RatePolicy policy, RequestContext context) {
        var client = context.client();
        if (client == null) {
            throw new IllegalStateException("no client address");
        }
        return new PartitionKey(policy.route(), policy.name().value(), Kind.ADDRESS, "", "", client.network());
    }
}
