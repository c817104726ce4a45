// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.authenticate.issuer.IntrospectionConfig;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.authenticate.issuer.JwksConfig;
import io.sallyport.authenticate.issuer.Profile;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.decision.Reason;
import io.sallyport.identity.ExpectedId;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.util.unit.DataSize;

/** What an operator may write for issuers and routes, and what the answer is to the rest. */
class ConfigTest {
    private final Findings findings = new Findings();
    private final FakeJwkSetSource keys = FakeJwkSetSource.of(TestTokens.es256());

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://idp.example.org",
                "idp.example.org",
                "https://",
                "https:///realms",
                "https://idp.example.org?x=1",
                "https://idp.example.org#x",
                "https://user@idp.example.org",
                "https://idp.example.org/ä",
                "https://idp example.org",
                "ftp://idp.example.org",
                ""
            })
    void an_issuer_is_an_https_url(String issuer) {
        assertThatThrownBy(() -> corp().issuer(issuer).config())
                .isInstanceOf(InvalidSetting.class)
                .hasMessage(
                        "issuer: %s (expected: an https URL with a host, without query, fragment and user (http only with insecure-plaintext: true))",
                        issuer);
    }

    /** AD FS, Kubernetes and Google have such names. Nothing is fetched from there. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://adfs.example.org/adfs/services/trust",
                "kubernetes/serviceaccount",
                "accounts.google.com",
                "urn:example:issuer"
            })
    void an_issuer_whose_keys_are_elsewhere_may_have_any_name(String name) {
        var config = corp().issuer(name)
                .jwksUri(URI.create("https://keys.example.org/jwks"))
                .config();

        assertThat(config.issuer()).isEqualTo(name);
        assertThat(TestIssuer.accepting(
                                List.of(),
                                null,
                                corp().issuer(name)
                                        .jwksUri(URI.create("https://keys.example.org/jwks"))
                                        .compile())
                        .authorizationServers())
                .as("what clients are told to go to")
                .isEmpty();
        assertThatThrownBy(() -> corp().issuer(name).config()).isInstanceOf(InvalidSetting.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a\nb", "\u00e4"})
    void a_name_is_printable(String name) {
        refuses(
                () -> corp().issuer(name)
                        .jwksUri(URI.create("https://keys.example.org/jwks"))
                        .config(),
                "issuer: %s (expected: 1 to 1024 printable characters of ASCII without blanks)".formatted(name));
    }

    @Test
    void a_bearer_token_is_not_sent_where_everybody_can_read_it() {
        var jwks = new JwksConfig(
                Duration.ofMinutes(5),
                Duration.ofHours(24),
                Duration.ofSeconds(30),
                Duration.ofSeconds(3),
                false,
                false,
                Path.of("token"));

        refuses(
                () -> corp().jwks(jwks).insecurePlaintext().config(),
                "jwks.bearer-token-file: token (expected: nothing, because of insecure-plaintext: the token would be"
                        + " readable on the way)");
    }

    @Test
    void an_issuer_may_be_plain_http_where_somebody_wrote_so() {
        var config = config(URI.create("http://127.0.0.1:8080/jwks?p=1"), "http://127.0.0.1:8080", true);

        assertThat(config.issuer()).isEqualTo("http://127.0.0.1:8080");
        assertThatThrownBy(() -> config(URI.create("http://127.0.0.1:8080/jwks"), "https://idp.example.org", false))
                .hasMessageStartingWith("jwks-uri: http://127.0.0.1:8080/jwks (expected: an https URL");
    }

    @Test
    void lists_have_something_in_them_and_nothing_twice() {
        refuses(() -> corp().audiences().config(), "audiences: (absent) (expected: at least one, or else clients)");
        refuses(
                () -> corp().audiences("a", "a").config(),
                "audiences: [a, a] (expected: at least one, each once and not empty)");
        refuses(() -> corp().audiences("").config(), "audiences: [] (expected: at least one, each once and not empty)");
        refuses(() -> corp().algorithms().config(), "algorithms: [] (expected: at least one, each once)");
        refuses(() -> corp().types().config(), "types: [] (expected: at least one, each once and not empty)");
        refuses(
                () -> new RouteAuthentication(List.of(), List.of(), null, List.of(), false),
                "issuers: [] (expected: at least one, or else client-spiffe-ids)");
        refuses(
                () -> new RouteAuthentication(List.of("a", "a"), List.of(), null, List.of(), false),
                "issuers: [a, a] (expected: each once)");
        refuses(
                () -> new RouteAuthentication(List.of("a"), List.of("x", "x"), null, List.of(), false),
                "audiences: [x, x] (expected: each once)");
    }

    @Test
    void an_issuer_has_audiences_or_clients_by_one_claim() {
        var clients = corp().clients("cid", "web").config();

        assertThat(clients.clients()).containsExactly("web");
        refuses(
                () -> corp().clients("client_id", "web").audiences("a").config(),
                "clients: [web] (expected: nothing, because there are audiences, and only one of the two can hold)");
        refuses(
                () -> corp().clients("sub", "web").config(),
                "client-claim: sub (expected: one of client_id, azp, cid and appid)");
        refuses(
                () -> corp().clients("azp", "web", "web").config(),
                "clients: [web, web] (expected: at least one, each once and not empty)");
        refuses(
                () -> TestIssuer.with(keys)
                        .trustDomain("example.org")
                        .clientClaim("azp")
                        .config(),
                "client-claim: azp (expected: nothing, because of trust-domain: JWT-SVIDs and their keys have none)");
    }

    @Test
    void an_issuer_without_keys_is_not_required_to_have_any() {
        refuses(
                () -> corp().introspection(introspection("https://idp.example.org", 2, 60, 64))
                        .required()
                        .config(),
                "required: true (expected: nothing, because without jwks-uri there are no keys: the issuer is asked about"
                        + " each token)");
    }

    private TestIssuer tenants(String issuer) {
        return TestIssuer.named("tenants", keys).issuer(issuer);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://{tenant}.idp.example/v2.0",
                "https://idp.example/x{tenant}/v2.0",
                "https://idp.example/{tenant}x",
                "https://idp.example/{a}/{b}",
                "https://idp.example/{}/v2.0",
                "https://idp.example/{tenant",
                "{tenant}",
                "https://idp.example/v2.0?tenant={tenant}"
            })
    void a_template_has_one_variable_that_is_a_path_segment(String issuer) {
        assertThatThrownBy(() -> tenants(issuer).tenants("tid", "acme").config())
                .isInstanceOf(InvalidSetting.class)
                .hasMessageStartingWith("issuer: ");
    }

    @Test
    void tenants_are_listed_or_admitted_one_and_all_and_have_keys_of_their_own() {
        var template = "https://idp.example/{tenant}/v2.0";

        refuses(
                () -> tenants(template).config(),
                "tenant-claim: (absent) (expected: the claim that has the tenant, because issuer has a variable)");
        refuses(
                () -> tenants(template).tenants("tid", "acme", "acme").config(),
                "tenants: [acme, acme] (expected: 1 to 100, each once, of A-Z, a-z, 0-9 and dash)");
        refuses(
                () -> tenants(template).tenants("tid", "a/b").config(),
                "tenants: [a/b] (expected: 1 to 100, each once, of A-Z, a-z, 0-9 and dash)");
        refuses(
                () -> tenants(template)
                        .tenants("tid", "acme")
                        .jwksTemplate("https://idp.example/keys")
                        .config(),
                "jwks-uri: https://idp.example/keys (expected: an https URL in which one path segment is {tenant}, for"
                        + " each tenant has its own keys)");
        refuses(
                () -> corp().tenants("tid", "acme").config(),
                "tenant-claim: tid (expected: nothing, because issuer has no variable such as {tenant})");
        assertThat(tenants(template)
                        .tenants("tid", "acme")
                        .jwksTemplate("https://keys.example/{tenant}/keys")
                        .compile()
                        .each())
                .singleElement()
                .satisfies(issuer -> {
                    assertThat(issuer.issuer()).isEqualTo("https://idp.example/acme/v2.0");
                    assertThat(issuer.keySetName()).isEqualTo("tenants.acme");
                });
    }

    @Test
    void id_tokens_are_accepted_only_where_they_would_be_refused() {
        refuses(
                () -> corp().acceptIdTokens().config(),
                "accept-id-tokens: true (expected: nothing, because they are refused only where types has absent,"
                        + " or there are clients)");
        assertThat(corp().types("absent").acceptIdTokens().config().acceptIdTokens())
                .isTrue();
    }

    @Test
    void an_algorithm_that_has_two_names_may_be_written_by_both() {
        assertThat(corp().algorithms(SignatureAlgorithm.parse("EdDSA"), SignatureAlgorithm.parse("Ed25519"))
                        .config()
                        .allowedAlgorithms())
                .containsExactly(SignatureAlgorithm.EDDSA);
    }

    @Test
    void the_profile_of_rfc_9068_has_no_use_for_absent_types_alone() {
        refuses(
                () -> corp().profile(Profile.RFC9068).types("absent").config(),
                "types: [absent] (expected: at+jwt among them, because profile is rfc9068)");
    }

    @Test
    void a_route_says_nothing_of_audiences_where_its_only_issuer_has_clients() {
        var issuer = corp().clients("azp", "web").compile();

        assertThat(compile(new RouteAuthentication(List.of("corp"), List.of(), null, List.of(), false), issuer))
                .isNotNull();
        assertThat(compile(new RouteAuthentication(List.of("corp"), List.of("web"), null, List.of(), false), issuer))
                .isNull();
        assertThat(found())
                .containsExactly("routes.orders.authenticate.audiences: [web] (expected: audiences of [corp] alone)");
    }

    @Test
    void a_route_for_workloads_alone_says_nothing_of_tokens() {
        var ids = List.of(ExpectedId.parse("spiffe://example.org/ns/batch/sa/export"));

        refuses(
                () -> new RouteAuthentication(List.of(), List.of("x"), null, ids, false),
                "audiences: [x] (expected: nothing, because no issuer's tokens are accepted)");
        refuses(
                () -> new RouteAuthentication(List.of(), List.of(), Profile.DEFAULT, ids, false),
                "profile: DEFAULT (expected: nothing, because no issuer's tokens are accepted)");
        refuses(
                () -> new RouteAuthentication(
                        List.of(), List.of(), null, List.of(ids.getFirst(), ids.getFirst()), false),
                "client-spiffe-ids: [spiffe://example.org/ns/batch/sa/export, spiffe://example.org/ns/batch/sa/export]"
                        + " (expected: each once)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "HS256", "HS512", "rs256", "ES256K", "Ed448", "RSA-OAEP", ""})
    void an_algorithm_is_asymmetric_and_ours(String name) {
        assertThatThrownBy(() -> SignatureAlgorithm.parse(name))
                .isInstanceOf(InvalidSetting.class)
                .hasMessageContaining("symmetric algorithms are never accepted")
                .hasMessageContaining("[RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA]");
    }

    @Test
    void durations_are_within_their_bounds() {
        refuses(
                () -> corp().maxTokenLifetime(Duration.ZERO).config(),
                "max-token-lifetime: PT0S (expected: 1s to 366d)");
        refuses(
                () -> corp().maxTokenAge(Duration.ofDays(400)).config(),
                "max-token-age: PT9600H (expected: 1s to 366d)");
        refuses(() -> stage(Duration.ofSeconds(121), 1000, 12), "clock-skew: PT2M1S (expected: 0s to 2m)");
        refuses(() -> stage(Duration.ofSeconds(-1), 1000, 12), "clock-skew: PT-1S (expected: 0s to 2m)");
        refuses(() -> stage(Duration.ZERO, 99, 12), "token-cache-size: 99 (expected: 100 to 1000000)");
        refuses(() -> stage(Duration.ZERO, 1000, 65), "max-token-size: 66560B (expected: 1024B to 65536B)");
        refuses(() -> stage(Duration.ZERO, 1000, 0), "max-token-size: 0B (expected: 1024B to 65536B)");
        refuses(() -> jwks("PT0S", "PT24H", "PT30S", "PT3S"), "refresh: PT0S (expected: 1s to 24h)");
        refuses(
                () -> jwks("PT5M", "PT1M", "PT30S", "PT3S"),
                "max-stale: PT1M (expected: at least refresh (PT5M), at most 30d)");
        refuses(() -> jwks("PT5M", "PT24H", "PT0S", "PT3S"), "cool-down: PT0S (expected: 1s to 1h)");
        refuses(() -> jwks("PT5M", "PT24H", "PT30S", "PT1M"), "timeout: PT1M (expected: 100ms to 30s)");
    }

    @Test
    void the_profile_of_rfc_9068_needs_its_type_on_the_list() {
        refuses(
                () -> corp().profile(Profile.RFC9068).types("JWT").config(),
                "types: [JWT] (expected: at+jwt among them, because profile is rfc9068)");
        var lax = corp().types("JWT").compile();

        assertThat(compile(new RouteAuthentication(List.of("corp"), List.of(), Profile.RFC9068, List.of(), false), lax))
                .isNull();
        assertThat(found())
                .containsExactly(
                        "routes.orders.authenticate.profile: rfc9068 (expected: default, because types of issuer corp lacks at+jwt)");
    }

    @Test
    void two_issuers_cannot_have_one_name_for_tokens() {
        var sections = new LinkedHashMap<String, IssuerConfig>();
        sections.put("corp", corp().config());
        sections.put("again", corp().config());

        var issuers = Issuer.compile(
                sections, (_, _, _) -> keys, (_, _, _) -> null, CryptoProvider.jdk(), findings.at("issuers"));

        assertThat(issuers).containsOnlyKeys("corp");
        assertThat(found())
                .containsExactly("issuers.again.issuer: " + TestTokens.ISSUER
                        + " (expected: an issuer that issuers.corp is not)");
    }

    @Test
    void a_route_names_issuers_that_there_are() {
        assertThat(compile(
                        new RouteAuthentication(List.of("corp", "crop"), List.of(), null, List.of(), false),
                        corp().compile()))
                .isNull();
        assertThat(found())
                .containsExactly("routes.orders.authenticate.issuers[1]: crop (expected: one of issuers: [corp])");
    }

    @Test
    void a_route_names_its_audiences_where_the_issuer_has_several() {
        var issuer = corp().audiences("orders", "payments").compile();

        assertThat(compile(new RouteAuthentication(List.of("corp"), List.of(), null, List.of(), false), issuer))
                .isNull();
        assertThat(found())
                .containsExactly(
                        "routes.orders.authenticate.audiences: (absent) (expected: some of those of issuer corp, which has several)");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ledger        | [ledger] (expected: at least one of issuer corp)",
                "orders,ledger | [orders, ledger] (expected: audiences of [corp] alone)",
            })
    void a_route_names_audiences_that_its_issuers_have(String audiences, String expected) {
        var issuer = corp().audiences("orders", "payments").compile();
        var section = new RouteAuthentication(List.of("corp"), List.of(audiences.split(",")), null, List.of(), false);

        assertThat(compile(section, issuer)).isNull();
        assertThat(found()).containsExactly("routes.orders.authenticate.audiences: " + expected);
    }

    @Test
    void each_issuer_of_a_route_is_held_to_its_own_audiences() {
        var corp = corp().audiences("orders", "shared").compile();
        var partner = TestIssuer.named("partner", keys)
                .issuer("https://partner.example.net")
                .audiences("orders-partner", "shared")
                .compile();

        var accepted = TestIssuer.accepting(List.of("orders", "orders-partner"), null, corp, partner);

        assertThat(accepted.of(TestTokens.ISSUER))
                .satisfies(each -> assertThat(each.audiences()).containsExactly("orders"));
        assertThat(accepted.of("https://partner.example.net"))
                .satisfies(each -> assertThat(each.audiences()).containsExactly("orders-partner"));
        assertThat(accepted.authorizationServers()).containsExactly(TestTokens.ISSUER, "https://partner.example.net");
    }

    @Test
    void what_no_route_matches_accepts_whatever_a_route_of_the_host_does() {
        var corp = corp().audiences("orders", "payments", "ledger").compile();
        var orders = TestIssuer.accepting(List.of("orders"), Profile.RFC9068, corp);
        var payments = TestIssuer.accepting(List.of("payments"), null, corp);

        var unmatched = AcceptedTokens.unmatched(List.of(orders, payments), TestIssuer.METADATA, "api.example.org");

        assertThat(unmatched.audiences()).containsExactlyInAnyOrder("orders", "payments");
        assertThat(unmatched.of(TestTokens.ISSUER))
                .satisfies(each -> assertThat(each.profile()).isEqualTo(Profile.DEFAULT));
        assertThat(unmatched.deny(Reason.AUTHENTICATE_JWT_MISSING).denial().status())
                .isEqualTo(401);
    }

    @Test
    void an_issuer_whose_keys_cannot_come_from_anywhere_is_not_compiled() {
        var issuers = Issuer.compile(
                Map.of("corp", corp().config()),
                (_, _, at) -> {
                    at.child("ca").reject("/nowhere.pem", "a PEM file");
                    return null;
                },
                (_, _, _) -> null,
                CryptoProvider.jdk(),
                findings.at("issuers"));

        assertThat(issuers).isEmpty();
        assertThat(found()).containsExactly("issuers.corp.ca: /nowhere.pem (expected: a PEM file)");
    }

    @Test
    void a_trust_domain_has_what_jwt_svids_have_and_nothing_of_an_authorization_server() {
        var config = TestIssuer.with(keys).trustDomain("example.org").config();

        assertThat(config.allowedAlgorithms())
                .containsExactlyInAnyOrderElementsOf(EnumSet.complementOf(EnumSet.of(SignatureAlgorithm.EDDSA)));
        assertThat(config.allowedTypes()).containsExactly("JWT", "JOSE");
        assertThat(config.requireTrustDomain()).hasToString("example.org");
        refuses(
                () -> TestIssuer.with(keys)
                        .trustDomain("example.org")
                        .algorithms(SignatureAlgorithm.EDDSA)
                        .config(),
                "algorithms: [EdDSA] (expected: some of those of JWT-SVIDs: [RS256, RS384, RS512, PS256, PS384, PS512,"
                        + " ES256, ES384, ES512])");
        refuses(
                () -> TestIssuer.with(keys)
                        .trustDomain("example.org")
                        .types("JWT")
                        .config(),
                "types: [JWT] (expected: nothing, because of trust-domain: JWT-SVIDs and their keys have none)");
        refuses(
                () -> TestIssuer.with(keys)
                        .trustDomain("example.org")
                        .profile(Profile.RFC9068)
                        .config(),
                "profile: RFC9068 (expected: nothing, because of trust-domain: JWT-SVIDs and their keys have none)");
        refuses(
                () -> TestIssuer.with(keys)
                        .trustDomain("example.org")
                        .issuer("https://idp.example.org")
                        .config(),
                "issuer: https://idp.example.org (expected: exactly one of issuer and trust-domain)");
        for (var wrong : List.of("Example.org", "example.org/path", "spiffe://example.org", "")) {
            refuses(
                    () -> TestIssuer.with(keys).trustDomain(wrong).config(),
                    "trust-domain: %s (expected: the name of a trust domain, for example example.org)"
                            .formatted(wrong));
        }
    }

    @Test
    void introspection_is_over_tls_and_bounded() {
        refuses(
                () -> corp().introspection(introspection("http://idp.example.org/introspect", 2, 60, 64))
                        .config(),
                "introspection.uri: http://idp.example.org/introspect (expected: an https URL with a host, without query,"
                        + " fragment and user (http only with insecure-plaintext: true))");
        refuses(() -> introspection("https://idp.example.org", 11, 60, 64), "timeout: PT11S (expected: 100ms to 10s)");
        refuses(() -> introspection("https://idp.example.org", 2, 601, 64), "cache: PT10M1S (expected: 0s to 10m)");
        refuses(() -> introspection("https://idp.example.org", 2, 60, 0), "max-concurrent: 0 (expected: 1 to 10000)");
        refuses(
                () -> new IntrospectionConfig(
                        URI.create("https://idp.example.org"),
                        "",
                        Path.of("secret"),
                        Duration.ofSeconds(2),
                        Duration.ZERO,
                        1),
                "client-id:  (expected: the gateway's client id at the issuer)");
        refuses(
                () -> TestIssuer.with(keys)
                        .trustDomain("example.org")
                        .introspection(introspection("https://idp.example.org", 2, 60, 64))
                        .config(),
                "introspection: a section (expected: nothing, because of trust-domain: JWT-SVIDs and their keys have none)");
    }

    private static IntrospectionConfig introspection(String uri, int timeout, int cache, int maxConcurrent) {
        return new IntrospectionConfig(
                URI.create(uri),
                "gateway",
                Path.of("secret"),
                Duration.ofSeconds(timeout),
                Duration.ofSeconds(cache),
                maxConcurrent);
    }

    @Test
    void a_route_has_one_introspecting_issuer_at_most() {
        var one = TestIssuer.named("one", keys)
                .introspecting(new FakeOpaqueTokenSource())
                .compile();
        var other = TestIssuer.named("other", keys)
                .issuer("https://other.example.org")
                .introspecting(new FakeOpaqueTokenSource())
                .compile();

        var accepted = AcceptedTokens.compile(
                new RouteAuthentication(List.of("one", "other"), List.of(), null, List.of(), false),
                Map.of("one", one, "other", other),
                TestIssuer.METADATA,
                "api.example.org",
                findings.at("authenticate"));

        assertThat(accepted).isNull();
        assertThat(found())
                .containsExactly("authenticate.issuers: [one, other] (expected: one with introspection at most:"
                        + " an opaque token does not say whose it is)");
    }

    private TestIssuer corp() {
        return TestIssuer.with(keys);
    }

    private IssuerConfig config(URI jwksUri, String issuer, boolean insecurePlaintext) {
        var written = corp().issuer(issuer).jwksUri(jwksUri);
        return insecurePlaintext ? written.insecurePlaintext().config() : written.config();
    }

    private static AuthenticateConfig stage(Duration clockSkew, int tokenCacheSize, int kilobytes) {
        return TestIssuer.stage(clockSkew, tokenCacheSize, DataSize.ofKilobytes(kilobytes));
    }

    private static JwksConfig jwks(String refresh, String maxStale, String coolDown, String timeout) {
        return new JwksConfig(
                Duration.parse(refresh),
                Duration.parse(maxStale),
                Duration.parse(coolDown),
                Duration.parse(timeout),
                false,
                false,
                null);
    }

    private @Nullable AcceptedTokens compile(RouteAuthentication section, Issuer issuer) {
        return AcceptedTokens.compile(
                section,
                Map.of(issuer.name(), issuer),
                TestIssuer.METADATA,
                "api.example.org",
                findings.at("routes.orders.authenticate"));
    }

    private List<String> found() {
        return findings.all().stream().map(Object::toString).toList();
    }

    private static void refuses(ThrowingCallable config, String message) {
        assertThatThrownBy(config).isInstanceOf(InvalidSetting.class).hasMessage(message);
    }
}
