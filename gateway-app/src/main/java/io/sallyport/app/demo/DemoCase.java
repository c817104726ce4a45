// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import io.sallyport.decision.Reason;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A request worth trying, and what has to come of it. */
public enum DemoCase {
    ALLOWED("allowed", "acme reads a payment of its own", token(DemoParts.ACME), Path.PAYMENT, 200, null),
    NO_TOKEN(
            "no token",
            "nobody in particular asks",
            new Credential.None(),
            Path.PAYMENT,
            401,
            Reason.AUTHENTICATE_JWT_MISSING),
    EXPIRED(
            "expired",
            "a token of an hour ago; tokens of this issuer live 15 minutes",
            token(DemoParts.ACME, Map.of("demo_issued_ago", "3600")),
            Path.PAYMENT,
            401,
            Reason.AUTHENTICATE_JWT_EXPIRED),
    WRONG_AUDIENCE(
            "wrong audience",
            "a good token of the same issuer, but for another API",
            token(DemoParts.ACME, Map.of("resource", DemoParts.OTHER_AUDIENCE)),
            Path.PAYMENT,
            401,
            Reason.AUTHENTICATE_JWT_AUD_MISMATCH),
    FORGED_SIGNATURE(
            "forged signature",
            "the claims of one token under the signature of another",
            new Credential.Forged(DemoParts.ACME),
            Path.PAYMENT,
            401,
            Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID),
    OTHER_TENANT(
            "other tenant",
            "globex, well proven, asks for a payment of acme",
            token(DemoParts.GLOBEX),
            Path.PAYMENT,
            403,
            Reason.AUTHORIZE_NO_RULE_ALLOWED),
    TOO_MANY(
            "too many",
            "the route takes 5 requests in 10 seconds of one caller",
            token(DemoParts.ACME),
            Path.ORDER,
            429,
            Reason.RATELIMIT_EXCEEDED),
    RISKY(
            "risky",
            "a device that does not comply, signed in with a password",
            token(DemoParts.ACME_LAPTOP),
            Path.PAYMENT,
            401,
            Reason.RISK_STEP_UP_REQUIRED),
    RISKY_STEPPED_UP(
            "risky, stepped up",
            "the same device, after the sign-in that the challenge asked for",
            token(DemoParts.ACME_LAPTOP, Map.of("acr_values", "phr")),
            Path.PAYMENT,
            200,
            null),
    WRONG_UPSTREAM(
            "wrong upstream",
            "where the ledger should be, something else answers with a certificate of its own",
            token(DemoParts.ACME),
            Path.LEDGER,
            502,
            Reason.FORWARD_IDENTITY_MISMATCH);

    /** Where the requests go. */
    private static final class Path {
        static final String PAYMENT = "/v1/tenants/acme/payments/42";
        static final String ORDER = "/v1/orders/7";
        static final String LEDGER = "/v1/ledger/2026";
    }

    /** More than {@code orders} lets through. */
    private static final int MANY = 7;

    private final String title;
    private final String story;

    @SuppressWarnings("ImmutableEnumChecker") // its map is a copy that cannot change
    private final Credential credential;

    private final String path;
    private final int expectedStatus;
    private final @Nullable Reason expectedReason;

    DemoCase(
            String title,
            String story,
            Credential credential,
            String path,
            int expectedStatus,
            @Nullable Reason expectedReason) {
        this.title = title;
        this.story = story;
        this.credential = credential;
        this.path = path;
        this.expectedStatus = expectedStatus;
        this.expectedReason = expectedReason;
    }

    public String title() {
        return title;
    }

    /** Who asks for what, in half a sentence. */
    public String story() {
        return story;
    }

    public Credential credential() {
        return credential;
    }

    public String path() {
        return path;
    }

    public int expectedStatus() {
        return expectedStatus;
    }

    /** Null if the request is to be allowed. */
    public @Nullable Reason expectedReason() {
        return expectedReason;
    }

    /** How often the request is sent; the last answer is the one that counts. */
    public int times() {
        return this == TOO_MANY ? MANY : 1;
    }

    private static Credential token(String client) {
        return token(client, Map.of());
    }

    private static Credential token(String client, Map<String, String> parameters) {
        return new Credential.Token(client, parameters);
    }

    /** What goes with the request. */
    public sealed interface Credential {
        /** Nothing. */
        record None() implements Credential {}

        /**
         * An access token.
         *
         * @param parameters of the token request, besides the grant
         */
        record Token(String client, Map<String, String> parameters) implements Credential {
            public Token {
                parameters = Map.copyOf(parameters);
            }

            /** The parameters as options of curl, each after a blank. */
            public String curlOptions() {
                return parameters.entrySet().stream()
                        .map(parameter -> " -d %s=%s".formatted(parameter.getKey(), parameter.getValue()))
                        .collect(Collectors.joining());
            }
        }

        /** Header and claims of one token of this client, with the signature of its next. */
        record Forged(String client) implements Credential {}
    }
}
