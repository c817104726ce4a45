// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.token;

import io.sallyport.authenticate.jose.StrictJson;
import io.sallyport.identity.Principal;
import io.sallyport.identity.StrictSpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a token says, once somebody who may has vouched for it, read for judging: as often as it is used, and without reading it
 * again. Immutable. Whether it may be used here and now is not its own to say.
 *
 * @param issuerName the issuer's name in the configuration when it was read
 * @param issuer the {@code iss}, or null if it has none that is a string
 * @param audiences empty if {@code aud} is absent or is anything but a string or an array of strings
 * @param expiresAt in milliseconds of the epoch, or {@link #ABSENT} or {@link #UNUSABLE}; likewise the next two
 * @param bound whether it has a {@code cnf}, of whatever kind, or is of another type than Bearer
 * @param principal what the claims say of the caller, or null if one that every profile requires is absent or some claim that
 *     tells callers apart is of the wrong type
 */
public record TokenClaims(
        String issuerName,
        @Nullable String issuer,
        List<String> audiences,
        long expiresAt,
        long notBefore,
        long issuedAt,
        boolean bound,
        @Nullable Principal principal) {

    public TokenClaims {
        audiences = List.copyOf(audiences);
    }

    /** There is no such claim. */
    public static final long ABSENT = Long.MIN_VALUE;

    /** There is such a claim, but it is not a point in time. */
    public static final long UNUSABLE = Long.MIN_VALUE + 1;

    // The year 9999, both ways: what is beyond is a mistake or an attempt, and sums with it must not overflow.
    private static final long LATEST_SECOND = 253_402_300_799L;

    /**
     * Reads those of a token whose signature a key of the issuer has verified.
     *
     * @param claims as {@link StrictJson} reads them
     * @param issuer the exact {@code iss}, or the SPIFFE ID of the trust domain
     * @param trustDomain whose workloads' JWT-SVIDs the issuer's tokens are, or null if they are access tokens
     */
    public static TokenClaims of(
            Map<String, Object> claims, String issuerName, String issuer, @Nullable TrustDomain trustDomain) {
        return of(claims, new Reader(issuerName, issuer, trustDomain), false);
    }

    /** Reads those that an issuer has told us of a token (RFC 7662 section 2.2). */
    static TokenClaims ofIntrospection(Map<String, Object> members, String issuerName, String issuer) {
        // RFC 6749 section 7.1: what is said of a token of another type is not for us to act upon.
        var type = members.get("token_type");
        boolean otherType = type != null && !(type instanceof String name && name.equalsIgnoreCase("Bearer"));
        return of(members, new Reader(issuerName, issuer, null), otherType);
    }

    private static TokenClaims of(Map<String, Object> raw, Reader reader, boolean otherType) {
        var claims = new Claims(raw);
        long expiresAt = claims.time("exp");
        long issuedAt = claims.time("iat");
        return new TokenClaims(
                reader.issuerName(),
                raw.get("iss") instanceof String iss ? iss : null,
                claims.stringOrStrings("aud"),
                expiresAt,
                claims.time("nbf"),
                issuedAt,
                otherType || raw.containsKey("cnf"),
                reader.principal(claims, issuedAt, expiresAt));
    }

    /** Of whom the claims are read. */
    private record Reader(
            String issuerName, String issuer, @Nullable TrustDomain trustDomain) {
        @Nullable
        Principal principal(Claims claims, long issuedAt, long expiresAt) {
            return trustDomain == null
                    ? subject(claims, issuedAt, expiresAt)
                    : workload(trustDomain, claims, expiresAt);
        }

        /** The keys of a trust domain speak for its own workloads alone (JWT-SVID section 3.1). */
        private static Principal.@Nullable Workload workload(TrustDomain trustDomain, Claims claims, long expiresAt) {
            var sub = claims.string("sub");
            var id = sub == null ? null : StrictSpiffeId.parseWorkload(sub);
            return id == null || !id.getTrustDomain().equals(trustDomain) || !isTime(expiresAt)
                    ? null
                    : new Principal.Workload(id, Instant.ofEpochMilli(expiresAt));
        }

        private Principal.@Nullable Subject subject(Claims claims, long issuedAt, long expiresAt) {
            var sub = claims.string("sub");
            if (sub == null || sub.isEmpty() || !isTime(issuedAt) || !isTime(expiresAt)) {
                return null;
            }
            var client = claims.string("client_id");
            var subject = new Principal.Subject(
                    issuerName,
                    issuer,
                    sub,
                    client != null ? client : claims.string("azp"),
                    claims.string("sid"),
                    claims.string("jti"),
                    Instant.ofEpochMilli(issuedAt),
                    Instant.ofEpochMilli(expiresAt),
                    claims.scopes(),
                    claims.string("acr"),
                    claims.strings("amr"),
                    instant(claims.time("auth_time")),
                    claims.all());
            return claims.misread ? null : subject;
        }
    }

    private static boolean isTime(long time) {
        return time != ABSENT && time != UNUSABLE;
    }

    private static @Nullable Instant instant(long time) {
        return isTime(time) ? Instant.ofEpochMilli(time) : null;
    }

    /** Reads claims by type and remembers whether one of them had another. */
    private static final class Claims {
        /** What most tokens have, so that all that are remembered have one string for its name. */
        private static final Map<String, String> COMMON_NAMES =
                onceEach("iss sub aud exp nbf iat jti typ azp sid acr amr cnf act"
                        + " scope scp client_id auth_time nonce name email email_verified preferred_username groups roles"
                        + " entitlements permissions realm_access resource_access tenant_id tid oid org_id ver");

        private final Map<String, Object> raw;
        private boolean misread;

        Claims(Map<String, Object> raw) {
            this.raw = raw;
        }

        private static Map<String, String> onceEach(String names) {
            return Stream.of(names.split(" ")).collect(Collectors.toUnmodifiableMap(name -> name, name -> name));
        }

        /** A claim that is null is as good as absent; {@code cnf} alone is looked for by name. */
        private @Nullable Object value(String name) {
            var value = raw.get(name);
            return value == StrictJson.Null.NULL ? null : value;
        }

        @Nullable
        String string(String name) {
            return switch (value(name)) {
                case null -> null;
                case String text -> text;
                case Object _ -> {
                    misread = true;
                    yield null;
                }
            };
        }

        /** Milliseconds of a NumericDate (RFC 7519 section 2), which may have a fraction. */
        long time(String name) {
            return switch (value(name)) {
                case null -> ABSENT;
                case Long seconds when Math.abs(seconds) <= LATEST_SECOND -> seconds * 1000;
                case Double seconds when Math.abs(seconds) <= LATEST_SECOND -> (long) Math.floor(seconds * 1000);
                case Object _ -> {
                    misread = true;
                    yield UNUSABLE;
                }
            };
        }

        List<String> strings(String name) {
            return switch (value(name)) {
                case null -> List.of();
                case List<?> list -> allStrings(list);
                case Object _ -> {
                    misread = true;
                    yield List.of();
                }
            };
        }

        List<String> stringOrStrings(String name) {
            return value(name) instanceof String one ? List.of(one) : strings(name);
        }

        private List<String> allStrings(List<?> list) {
            var strings = new ArrayList<String>(list.size());
            for (var element : list) {
                if (!(element instanceof String text)) {
                    misread = true;
                    return List.of();
                }
                strings.add(text);
            }
            return List.copyOf(strings);
        }

        /** {@code scope} (RFC 9068 section 2.2.3), else {@code scp}, in which some issuers put a string, others an array. */
        Set<String> scopes() {
            var name = value("scope") != null ? "scope" : "scp";
            var scopes = new LinkedHashSet<String>();
            for (var element : stringOrStrings(name)) {
                for (var scope : element.split(" ", -1)) {
                    if (!scope.isEmpty()) {
                        scopes.add(scope);
                    }
                }
            }
            return Set.copyOf(scopes);
        }

        /** All claims, without those that are null. */
        Map<String, Object> all() {
            return withoutNulls(raw);
        }

        private static Map<String, Object> withoutNulls(Map<?, ?> object) {
            var members = new HashMap<String, Object>();
            object.forEach((name, value) -> {
                if (value != StrictJson.Null.NULL) {
                    members.put(COMMON_NAMES.getOrDefault(name, (String) name), withoutNulls(value));
                }
            });
            // Half the size of a HashMap: tokens are remembered by the ten thousand.
            return Map.copyOf(members);
        }

        private static Object withoutNulls(Object value) {
            return switch (value) {
                case Map<?, ?> object -> withoutNulls(object);
                case List<?> array ->
                    array.stream()
                            .filter(element -> element != StrictJson.Null.NULL)
                            .map(Claims::withoutNulls)
                            .toList();
                case Object scalar -> scalar;
            };
        }
    }
}
