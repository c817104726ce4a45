// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The subject of a token that nobody had to sign: alice, of one issuer, with what a test says about her token. */
public final class FakeSubject {
    public static final String ISSUER = "https://idp.example.org/realms/corp";
    public static final Instant ISSUED_AT = Instant.parse("2026-11-22T11:55:00Z");

    private String issuer = ISSUER;
    private String subject = "alice";
    private @Nullable String clientId = "shop";
    private @Nullable String sessionId = "session-1";
    private @Nullable String tokenId = "token-1";
    private Instant issuedAt = ISSUED_AT;
    private @Nullable String acr;
    private @Nullable Instant authenticatedAt;
    private final Map<String, Object> claims = new HashMap<>();

    private FakeSubject() {}

    public static FakeSubject alice() {
        return new FakeSubject();
    }

    public FakeSubject of(String issuer) {
        this.issuer = issuer;
        return this;
    }

    public FakeSubject named(String subject) {
        this.subject = subject;
        return this;
    }

    public FakeSubject client(@Nullable String clientId) {
        this.clientId = clientId;
        return this;
    }

    public FakeSubject session(@Nullable String sessionId) {
        this.sessionId = sessionId;
        return this;
    }

    public FakeSubject token(@Nullable String tokenId) {
        this.tokenId = tokenId;
        return this;
    }

    public FakeSubject issuedAt(Instant issuedAt) {
        this.issuedAt = issuedAt;
        return this;
    }

    public FakeSubject acr(@Nullable String acr) {
        this.acr = acr;
        return this;
    }

    public FakeSubject authenticatedAt(@Nullable Instant authenticatedAt) {
        this.authenticatedAt = authenticatedAt;
        return this;
    }

    public FakeSubject claim(String name, Object value) {
        claims.put(name, value);
        return this;
    }

    public Principal.Subject build() {
        return new Principal.Subject(
                "corp",
                issuer,
                subject,
                clientId,
                sessionId,
                tokenId,
                issuedAt,
                issuedAt.plusSeconds(3600),
                Set.of(),
                acr,
                List.of(),
                authenticatedAt,
                Map.copyOf(claims));
    }
}
