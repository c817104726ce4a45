// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit.store;

import io.sallyport.identity.Principal;
import io.sallyport.pipeline.RequestContext;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Whose units a request takes: one key of one policy of one route. Equal over reloads, so that a bucket survives them.
 *
 * @param kind what {@code scope} and {@code value} are, so that a subject never shares a bucket with a client of the same name
 * @param scope the issuer of a subject, client or claim value; else empty
 * @param number the network of an address; else 0
 */
public record PartitionKey(String route, String policy, Kind kind, String scope, String value, long number) {
    /** A longer claim is kept as its digest: there may be many. */
    private static final int LONGEST = 128;

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
     * The key of that request under that policy; null if the caller does not have the claim, and is to be refused for that.
     *
     * @throws IllegalStateException if it is counted by an address, and the client's is not known
     */
    public static @Nullable PartitionKey of(RatePolicy policy, RequestContext context) {
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

    private static @Nullable PartitionKey byClaim(RatePolicy policy, LimitKey.Claim claim, RequestContext context) {
        if (context.principal() instanceof Principal.Subject subject) {
            var value = textOf(claim.path().in(subject.claims()));
            if (value != null) {
                return of(policy, Kind.CLAIM, subject.issuer(), value);
            }
        }
        return switch (policy.ifAbsent()) {
            case REFUSE -> null;
            case ADDRESS -> byAddress(policy, context);
        };
    }

    /** The value as text, or null if it names nobody: an object, an empty text or list, or nothing at all. */
    private static @Nullable String textOf(@Nullable Object value) {
        return switch (value) {
            case String text when text.length() > LONGEST -> digestOf(List.of(text));
            case String text -> text.isBlank() ? null : text;
            case Number number -> number.toString();
            case Boolean bool -> bool.toString();
            case List<?> list -> textOfSet(list);
            case null, default -> null;
        };
    }

    private static @Nullable String textOfSet(List<?> list) {
        var texts = new TreeSet<String>();
        for (var element : list) {
            var text = element instanceof List ? null : textOf(element);
            if (text == null) {
                return null;
            }
            texts.add(text);
        }
        return texts.isEmpty() ? null : digestOf(texts);
    }

    /** Of a fixed length, for it is kept; with the length of each text, so that no two lists are the same bytes. */
    private static String digestOf(Collection<String> texts) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            for (var text : texts) {
                var bytes = text.getBytes(StandardCharsets.UTF_8);
                digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
                digest.update(bytes);
            }
            return "sha256:" + HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static PartitionKey byAddress(RatePolicy policy, RequestContext context) {
        var client = context.client();
        if (client == null) {
            throw new IllegalStateException("no client address");
        }
        return new PartitionKey(policy.route(), policy.name().value(), Kind.ADDRESS, "", "", client.network());
    }
}
