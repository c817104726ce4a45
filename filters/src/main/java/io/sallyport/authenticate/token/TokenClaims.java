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
 * @param reading how they were read
 * @param issuer the {@code iss}, or null if it has none that is a string
 * @param hasAudience whether it has an {@code aud}, of whatever type
 * @param audiences empty if {@code aud} is absent or is anything but a string or an array of strings
 * @param expiresAt in milliseconds of the epoch, or {@link #ABSENT} or {@link #UNUSABLE}; likewise the next two
 * @param bound whether it has a {@code cnf}, of whatever kind, or is of another type than Bearer
 * @param client what the claim that names the client says, or null if there is none that is a string
 * @param idTokenMember a claim that ID tokens have and access tokens do not, or null if it has none
 * @param principal what the claims say of the caller, or null if one that every profile requires is absent or some claim that
 *     tells callers apart is of the wrong type
 * @param fault why there is no principal, for the operator's record; null if and only if there is one
 */
public record TokenClaims(
        ClaimReading reading,
        @Nullable String issuer,
        boolean hasAudience,
        List<String> audiences,
        long expiresAt,
        long notBefore,
        long issuedAt,
        boolean bound,
        @Nullable String client,
        @Nullable String idTokenMember,
        @Nullable Principal principal,
        @Nullable String fault) {

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
     */
    public static TokenClaims of(Map<String, Object> claims, ClaimReading reading) {
        return of(claims, reading, false);
    }

    /** Reads those that an issuer has told us of a token (RFC 7662 section 2.2). */
    static TokenClaims ofIntrospection(Map<String, Object> members, ClaimReading reading) {
        // RFC 6749 section 7.1: what is said of a token of another type is not for us to act upon.
        var type = members.get("token_type");
        boolean otherType = type != null && !(type instanceof String name && name.equalsIgnoreCase("Bearer"));
        return of(members, reading, otherType);
    }

    private static TokenClaims of(Map<String, Object> raw, ClaimReading reading, boolean otherType) {
        var claims = new Claims(raw);
        long expiresAt = claims.time("exp");
        long issuedAt = claims.time("iat");
        var client = reading.clientClaim() == null ? claims.client() : claims.identifier(reading.clientClaim());
        var principal = reading.trustDomain() == null
                ? subject(claims, reading, client, issuedAt, expiresAt)
                : workload(reading.trustDomain(), claims, expiresAt);
        return new TokenClaims(
                reading,
                raw.get("iss") instanceof String iss ? iss : null,
                claims.value("aud") != null,
                claims.stringOrStrings("aud"),
                expiresAt,
                claims.time("nbf"),
                issuedAt,
                otherType || raw.containsKey("cnf"),
                client,
                claims.idTokenMember(),
                principal,
                principal == null ? claims.fault() : null);
    }

    /** The keys of a trust domain speak for its own workloads alone (JWT-SVID section 3.1). */
    private static Principal.@Nullable Workload workload(TrustDomain trustDomain, Claims claims, long expiresAt) {
        var sub = claims.required("sub");
        var id = sub == null ? null : StrictSpiffeId.parseWorkload(sub);
        if (id == null || !id.getTrustDomain().equals(trustDomain)) {
            claims.blame("sub is no SPIFFE ID of a workload of the trust domain");
            return null;
        }
        return isTime(expiresAt) ? new Principal.Workload(id, Instant.ofEpochMilli(expiresAt)) : null;
    }

    private static Principal.@Nullable Subject subject(
            Claims claims, ClaimReading reading, @Nullable String client, long issuedAt, long expiresAt) {
        var tenant = reading.tenant();
        if (tenant != null && !tenant.id().equals(claims.value(tenant.claim()))) {
            claims.blame(tenant.claim() + " is not the tenant that iss names");
        }
        var sub = claims.required("sub");
        var sessionId = claims.identifier("sid");
        var tokenId = claims.identifier("jti");
        if (sub == null || !isTime(issuedAt) || !isTime(expiresAt) || claims.isFaulty()) {
            return null;
        }
        return new Principal.Subject(
                reading.issuerName(),
                reading.issuer(),
                sub,
                client,
                sessionId,
                tokenId,
                Instant.ofEpochMilli(issuedAt),
                Instant.ofEpochMilli(expiresAt),
                claims.scopes(),
                claims.string("acr"),
                claims.strings("amr"),
                instant(claims.time("auth_time")),
                claims.all());
    }

    private static boolean isTime(long time) {
        return time != ABSENT && time != UNUSABLE;
    }

    private static @Nullable Instant instant(long time) {
        return isTime(time) ? Instant.ofEpochMilli(time) : null;
    }

    /**
     * Reads claims by type, and remembers the first of those that tell callers apart which cannot be read. Any other claim of
     * another type than its specification says is as good as absent: what it would prove is then not proven.
     */
    private static final class Claims {
        private static final List<String> ID_TOKEN_CLAIMS = List.of("nonce", "at_hash", "c_hash");

        /** What most tokens have, so that all that are remembered have one string for its name. */
        private static final Map<String, String> COMMON_NAMES =
                onceEach("iss sub aud exp nbf iat jti typ azp sid acr amr cnf act"
                        + " scope scp client_id auth_time nonce name email email_verified preferred_username groups roles"
                        + " entitlements permissions realm_access resource_access tenant_id tid oid org_id ver");

        private final Map<String, Object> raw;
        private @Nullable String fault;

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
            return value(name) instanceof String text ? text : null;
        }

        /** One that tells a caller, a session or a token from others: whoever revokes by it must not miss it for its type. */
        @Nullable
        String identifier(String name) {
            var value = value(name);
            if (value == null || value instanceof String) {
                return (String) value;
            }
            blame(name + " is not a string");
            return null;
        }

        /** An identifier that every token must have. */
        @Nullable
        String required(String name) {
            var value = identifier(name);
            if (value == null || value.isEmpty()) {
                blame(name + (value == null ? " is absent" : " is empty"));
                return null;
            }
            return value;
        }

        /** RFC 9068 section 2.2, else OpenID Connect Core section 2. */
        @Nullable
        String client() {
            var client = identifier("client_id");
            return client != null ? client : identifier("azp");
        }

        /**
         * A claim that tells an ID token: of OpenID Connect Core sections 2 and 3.3.2.11, of Amazon Cognito ({@code token_use}), or of
         * Keycloak ({@code typ}).
         */
        @Nullable
        String idTokenMember() {
            for (var name : ID_TOKEN_CLAIMS) {
                if (value(name) != null) {
                    return name;
                }
            }
            var use = value("token_use");
            if (use != null && !use.equals("access")) {
                return "token_use";
            }
            return value("typ") instanceof String type && type.equalsIgnoreCase("ID") ? "typ" : null;
        }

        /** Remembers what is wrong, unless something was before. */
        void blame(String what) {
            if (fault == null) {
                fault = what;
            }
        }

        boolean isFaulty() {
            return fault != null;
        }

        String fault() {
            return fault == null ? "exp or iat is no point in time" : fault;
        }

        /** Milliseconds of a NumericDate (RFC 7519 section 2), which may have a fraction. */
        long time(String name) {
            return switch (value(name)) {
                case null -> ABSENT;
                case Long seconds when Math.abs(seconds) <= LATEST_SECOND -> seconds * 1000;
                case Double seconds when Math.abs(seconds) <= LATEST_SECOND -> (long) Math.floor(seconds * 1000);
                case Object _ -> UNUSABLE;
            };
        }

        List<String> strings(String name) {
            return switch (value(name)) {
                case List<?> list -> allStrings(list);
                case null, default -> List.of();
            };
        }

        List<String> stringOrStrings(String name) {
            return value(name) instanceof String one ? List.of(one) : strings(name);
        }

        private List<String> allStrings(List<?> list) {
            var strings = new ArrayList<String>(list.size());
            for (var element : list) {
                if (!(element instanceof String text)) {
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
