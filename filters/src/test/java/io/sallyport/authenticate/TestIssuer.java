// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.issuer.IntrospectionConfig;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.authenticate.issuer.JwkSetSourceFactory;
import io.sallyport.authenticate.issuer.JwksConfig;
import io.sallyport.authenticate.issuer.Profile;
import io.sallyport.authenticate.issuer.TenantKeys;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.authenticate.token.OpaqueTokenSource;
import io.sallyport.config.Findings;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.StageName;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/** An issuer of the configuration and a route that accepts its tokens, as {@link TestTokens} issues them. */
public final class TestIssuer {
    static final URI METADATA = URI.create("https://api.example.org/.well-known/oauth-protected-resource");
    public static final AuthenticateConfig STAGE = stage(Duration.ofSeconds(30), 1000, DataSize.ofKilobytes(12));
    public static final Snapshot SNAPSHOT = new Snapshot("test", List.of(), Map.of(StageName.AUTHENTICATE, STAGE));

    private final String name;
    private final JwkSetSource keys;
    private @Nullable String issuer = TestTokens.ISSUER;
    private @Nullable String trustDomain;
    private @Nullable String jwksUri;
    private List<String> clients = List.of();
    private @Nullable String clientClaim;
    private boolean acceptIdTokens;
    private JwksConfig jwks = JwksConfig.DEFAULT;
    private @Nullable Path ca;
    private boolean required;
    private @Nullable String tenantClaim;
    private List<String> tenants = List.of();
    private boolean anyTenant;
    private boolean insecurePlaintext;
    private @Nullable IntrospectionConfig introspection;
    private @Nullable OpaqueTokenSource opaqueTokens;
    private List<String> audiences = List.of(TestTokens.AUDIENCE);
    private @Nullable List<SignatureAlgorithm> algorithms = List.of(SignatureAlgorithm.values());
    private @Nullable List<String> types = List.of("at+jwt", "application/at+jwt", "JWT");
    private Duration maxTokenLifetime = Duration.ofHours(24);
    private @Nullable Duration maxTokenAge;
    private boolean requireNbf;
    private Profile profile = Profile.DEFAULT;

    private TestIssuer(String name, JwkSetSource keys) {
        this.name = name;
        this.keys = keys;
    }

    public static TestIssuer named(String name, JwkSetSource keys) {
        return new TestIssuer(name, keys);
    }

    static TestIssuer with(JwkSetSource keys) {
        return named("corp", keys);
    }

    /** {@code stages.authenticate} of such a skew, memory and length of tokens. */
    static AuthenticateConfig stage(Duration clockSkew, int tokenCacheSize, DataSize maxTokenSize) {
        return new AuthenticateConfig(null, null, clockSkew, tokenCacheSize, maxTokenSize, null);
    }

    public TestIssuer issuer(String issuer) {
        this.issuer = issuer;
        return this;
    }

    /** A trust domain in place of an authorization server, with what is usual for one. */
    public TestIssuer trustDomain(String trustDomain) {
        this.issuer = null;
        this.trustDomain = trustDomain;
        this.algorithms = null;
        this.types = null;
        return this;
    }

    /** Tokens without audience, of these clients by that claim. */
    TestIssuer clients(String clientClaim, String... clients) {
        this.audiences = List.of();
        this.clients = List.of(clients);
        this.clientClaim = clientClaim;
        return this;
    }

    TestIssuer clientClaim(String clientClaim) {
        this.clientClaim = clientClaim;
        return this;
    }

    TestIssuer acceptIdTokens() {
        this.acceptIdTokens = true;
        return this;
    }

    public TestIssuer jwks(JwksConfig jwks) {
        this.jwks = jwks;
        return this;
    }

    public TestIssuer ca(Path ca) {
        this.ca = ca;
        return this;
    }

    /** One for each of these tenants; for every one if there are none. */
    public TestIssuer tenants(String claim, String... tenants) {
        this.tenantClaim = claim;
        this.tenants = List.of(tenants);
        this.anyTenant = tenants.length == 0;
        return this;
    }

    public TestIssuer required() {
        this.required = true;
        return this;
    }

    public TestIssuer insecurePlaintext() {
        this.insecurePlaintext = true;
        return this;
    }

    public TestIssuer jwksUri(@Nullable URI jwksUri) {
        this.jwksUri = jwksUri == null ? null : jwksUri.toString();
        return this;
    }

    TestIssuer jwksTemplate(String jwksUri) {
        this.jwksUri = jwksUri;
        return this;
    }

    /** One with opaque tokens, which that source knows. */
    TestIssuer introspecting(OpaqueTokenSource opaqueTokens) {
        this.opaqueTokens = opaqueTokens;
        return introspection(new IntrospectionConfig(
                URI.create("https://idp.example.org/introspect"),
                "gateway",
                Path.of("secret"),
                Duration.ofSeconds(2),
                Duration.ofSeconds(60),
                64));
    }

    public TestIssuer introspection(IntrospectionConfig introspection) {
        this.introspection = introspection;
        return this;
    }

    public TestIssuer audiences(String... audiences) {
        this.audiences = List.of(audiences);
        return this;
    }

    public TestIssuer algorithms(SignatureAlgorithm... algorithms) {
        this.algorithms = List.of(algorithms);
        return this;
    }

    public TestIssuer types(String... types) {
        this.types = List.of(types);
        return this;
    }

    public TestIssuer maxTokenLifetime(Duration maxTokenLifetime) {
        this.maxTokenLifetime = maxTokenLifetime;
        return this;
    }

    TestIssuer maxTokenAge(Duration maxTokenAge) {
        this.maxTokenAge = maxTokenAge;
        return this;
    }

    public TestIssuer requireNbf() {
        this.requireNbf = true;
        return this;
    }

    public TestIssuer profile(Profile profile) {
        this.profile = profile;
        return this;
    }

    public IssuerConfig config() {
        return new IssuerConfig(
                issuer,
                trustDomain,
                audiences,
                clients,
                clientClaim,
                algorithms,
                types,
                acceptIdTokens,
                jwksUri,
                tenantClaim,
                tenants,
                anyTenant,
                introspection,
                maxTokenLifetime,
                maxTokenAge,
                requireNbf,
                profile,
                jwks,
                ca,
                required,
                insecurePlaintext);
    }

    public Issuer compile() {
        return compile((_, _, _) -> keys);
    }

    private Issuer compile(JwkSetSourceFactory sources) {
        var findings = new Findings();
        var issuers = Issuer.compile(
                Map.of(name, config()),
                sources,
                (_, _, _) -> opaqueTokens,
                CryptoProvider.jdk(),
                findings.at("issuers"));
        return Objects.requireNonNull(issuers.get(name), () -> findings.all().toString());
    }

    /** A route that accepts the tokens of its tenants, with the keys of each by the name of its key set. */
    Route route(Function<String, JwkSetSource> keysOf) {
        return route(compile((name, _, _) -> keysOf.apply(name)));
    }

    /** A route that accepts the tokens of every tenant. */
    Route routeOfAnyTenant(Function<String, JwkSetSource> keysOf) {
        return route(compile(new JwkSetSourceFactory() {
            @Override
            public JwkSetSource source(String issuerName, IssuerConfig config, Findings.Place at) {
                throw new IllegalStateException("no tenant is listed");
            }

            @Override
            public TenantKeys ofAnyTenant(String issuerName, IssuerConfig config, Findings.Place at) {
                return (tenant, _) -> keysOf.apply(tenant);
            }
        }));
    }

    /** A route that accepts this issuer's tokens. */
    public Route route() {
        return route(compile());
    }

    public static Route route(Issuer... issuers) {
        return route(accepting(List.of(), null, issuers));
    }

    static Route route(AcceptedTokens accepted) {
        return Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM)
                .settings(StageName.AUTHENTICATE, accepted)
                .build();
    }

    static AcceptedTokens accepting(List<String> audiences, @Nullable Profile profile, Issuer... issuers) {
        var byName = new LinkedHashMap<String, Issuer>();
        Arrays.stream(issuers).forEach(issuer -> byName.put(issuer.name(), issuer));
        var findings = new Findings();
        var section = new RouteAuthentication(new ArrayList<>(byName.keySet()), audiences, profile, List.of(), false);
        return Objects.requireNonNull(
                AcceptedTokens.compile(section, byName, METADATA, "api.example.org", findings.at("authenticate")),
                () -> findings.all().toString());
    }

    /** A request on that route, without credential. */
    public static FakeRequest get(Route route) {
        return FakeRequest.get("/orders/7").on(route).snapshot(SNAPSHOT);
    }
}
