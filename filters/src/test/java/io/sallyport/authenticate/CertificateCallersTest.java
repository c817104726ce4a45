// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.config.Findings;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import io.sallyport.forward.TestCa.Svid;
import io.sallyport.identity.ExpectedId;
import io.sallyport.identity.Principal;
import io.sallyport.identity.TrustBundles;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.PeerCertificate;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.TlsConnection;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Workloads that prove themselves by an X509-SVID, alone and beside tokens. */
class CertificateCallersTest {
    private static final Instant NOW = FakeRequest.NOW;
    private static final TestCa CA = TestCa.of("example.org");
    private static final TestCa PARTNER = TestCa.of("partner.test");
    private static final TestTokens CORP = TestTokens.es256();
    private static final String EXPORT = "spiffe://example.org/ns/batch/sa/export";

    private @Nullable TrustBundles bundles = TrustBundles.of(CA.bundle());
    private final AuthenticateStage stage =
            new AuthenticateStage(TestIssuer.STAGE, () -> bundles, new SimpleMeterRegistry());
    private final Issuer corp = TestIssuer.with(FakeJwkSetSource.of(CORP)).compile();
    private final Route workloads = route(List.of(EXPORT, "spiffe://example.org/ns/*/sa/reader"));
    private final Route both = route(List.of(EXPORT), corp);
    private final Route tokens = route(List.of(), corp);

    @ParameterizedTest
    @ValueSource(strings = {"/ns/batch/sa/export", "/ns/orders/sa/reader"})
    void a_workload_that_the_route_names_is_the_principal_until_its_svid_expires(String path) {
        var end = NOW.plusSeconds(300);
        var context =
                from(CA.issue(new Leaf().uris("spiffe://example.org" + path).validUntil(end)), workloads);

        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);

        assertThat(context.principal()).isInstanceOfSatisfying(Principal.Workload.class, workload -> {
            assertThat(workload.spiffeId()).hasToString("spiffe://example.org" + path);
            assertThat(workload.expiresAt()).isEqualTo(end);
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/ns/batch/sa/export2",
                "/ns/batch/sa/export/x",
                "/ns/batch/sa/Export",
                "/ns/a/b/sa/reader",
                "/ns/orders/sa/writer"
            })
    void another_workload_of_the_same_trust_domain_is_refused_and_named_in_the_record(String path) {
        var context = from(CA.issue(path), workloads);

        var verdict = stage.evaluate(context);

        assertThat(reasonOf(verdict)).isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_ID_DENIED);
        assertThat(evidenceOf(verdict, Evidence.Key.DETAIL)).isEqualTo("spiffe://example.org" + path);
        assertThat(context.principal()).isSameAs(Principal.Anonymous.ANONYMOUS);
    }

    @Test
    void a_connection_without_a_certificate_is_told_that_one_is_wanted() {
        assertThat(challengesOf(
                        stage.evaluate(FakeRequest.get("/").on(workloads).context())))
                .containsExactly("ClientCertificate realm=\"api.example.org\"");
        assertThat(reasonOf(stage.evaluate(request(workloads).tls(tls(null)).context())))
                .isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_MISSING);
    }

    /** DESIGN section 8: re-checked for each request of a connection. */
    @Test
    void a_connection_outlives_neither_its_svid_nor_the_authority_above_it() {
        var peer = tls(CA.issue(new Leaf().uris(EXPORT).validUntil(NOW.plusSeconds(60))));

        assertThat(stage.evaluate(request(workloads).tls(peer).context())).isSameAs(Verdict.Pass.PASS);
        assertThat(stage.evaluate(
                        request(workloads).tls(peer).at(NOW.plusSeconds(60)).context()))
                .isSameAs(Verdict.Pass.PASS);
        assertThat(reasonOf(stage.evaluate(request(workloads)
                        .tls(peer)
                        .at(NOW.plusSeconds(60).plusNanos(1))
                        .context())))
                .isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_EXPIRED);

        bundles = TrustBundles.of(TestCa.of("example.org").bundle());
        var context = request(workloads).tls(peer).context();
        var untrusted = stage.evaluate(context);
        assertThat(reasonOf(untrusted)).isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_UNTRUSTED);
        assertThat(evidenceOf(untrusted, Evidence.Key.CAUSE)).isNotNull();
    }

    @Test
    void a_federated_workload_is_judged_by_the_bundle_of_its_own_trust_domain() {
        var partner = route(List.of("spiffe://partner.test/ns/shop/sa/web"));
        var web = PARTNER.issue("/ns/shop/sa/web");

        assertThat(reasonOf(stage.evaluate(from(web, partner)))).isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_UNTRUSTED);

        bundles = TrustBundles.of(Map.of(
                CA.trustDomain(), CA.bundle().get(CA.trustDomain()),
                PARTNER.trustDomain(), PARTNER.bundle().get(PARTNER.trustDomain())));
        assertThat(stage.evaluate(from(web, partner))).isSameAs(Verdict.Pass.PASS);
        assertThat(reasonOf(stage.evaluate(
                        from(CA.issue(new Leaf().uris("spiffe://partner.test/ns/shop/sa/web")), partner))))
                .isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_UNTRUSTED);
    }

    @Test
    void without_bundles_nobody_is_accepted_and_nobody_is_told_that_the_certificate_is_wrong() {
        bundles = null;

        var verdict = stage.evaluate(from(CA.issue("/ns/batch/sa/export"), workloads));

        assertThat(reasonOf(verdict)).isEqualTo(Reason.AUTHENTICATE_BUNDLE_UNAVAILABLE);
        assertThat(((Verdict.Deny) verdict).denial()).isInstanceOf(Denial.Unavailable.class);
    }

    /** A listener that takes nobody without a certificate takes no request by one that has lapsed, whatever the route asks for. */
    @Test
    void where_the_listener_requires_a_certificate_it_is_judged_on_each_route_and_for_each_request() {
        var open = Route.builder("status", "api.example.org", Route.Kind.UPSTREAM)
                .makePublic()
                .build();
        var peer = required(CA.issue(new Leaf().uris(EXPORT).validUntil(NOW.plusSeconds(60))));
        var request = request(open).tls(peer);

        assertThat(stage.evaluate(request.context())).isSameAs(Verdict.Pass.PASS);
        assertThat(stage.evaluate(request(tokens)
                        .tls(peer)
                        .authorization("Bearer " + CORP.issue())
                        .context()))
                .isSameAs(Verdict.Pass.PASS);

        var late =
                stage.evaluate(request(open).tls(peer).at(NOW.plusSeconds(61)).context());
        assertThat(reasonOf(late)).isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_EXPIRED);
        assertThat(challengesOf(late)).containsExactly("ClientCertificate realm=\"listener\"");

        bundles = TrustBundles.of(PARTNER.bundle());
        var context = request(tokens)
                .tls(peer)
                .authorization("Bearer " + CORP.issue())
                .context();
        var untrusted = stage.evaluate(context);
        assertThat(reasonOf(untrusted)).isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_UNTRUSTED);
        assertThat(evidenceOf(untrusted, Evidence.Key.CAUSE)).isNotNull();
        assertThat(context.principal()).isSameAs(Principal.Anonymous.ANONYMOUS);

        bundles = null;
        assertThat(reasonOf(stage.evaluate(request(open).tls(peer).context())))
                .isEqualTo(Reason.AUTHENTICATE_BUNDLE_UNAVAILABLE);
        bundles = TrustBundles.of(CA.bundle());
        assertThat(reasonOf(stage.evaluate(request(open).tls(required(null)).context())))
                .isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_MISSING);
    }

    // Exactly one credential decides.

    @Test
    void a_token_on_a_route_for_workloads_alone_is_no_credential_and_goes_no_further() {
        var context = request(workloads)
                .tls(tls(CA.issue("/ns/batch/sa/export")))
                .authorization("Bearer " + CORP.issue())
                .header("DPoP", "proof")
                .context();

        assertThat(stage.evaluate(context)).isSameAs(Verdict.Pass.PASS);
        assertThat(context.principal()).isInstanceOf(Principal.Workload.class);
        assertThat(context.head().headers().contains("Authorization")).isFalse();
        assertThat(context.head().headers().contains("DPoP")).isFalse();

        assertThat(reasonOf(stage.evaluate(request(workloads)
                        .tls(tls(null))
                        .authorization("Bearer " + CORP.issue())
                        .context())))
                .isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_MISSING);
    }

    @Test
    void a_certificate_on_a_route_for_tokens_alone_is_no_credential() {
        var context = from(CA.issue("/ns/batch/sa/export"), tokens);

        assertThat(reasonOf(stage.evaluate(context))).isEqualTo(Reason.AUTHENTICATE_JWT_MISSING);
        assertThat(context.principal()).isSameAs(Principal.Anonymous.ANONYMOUS);
    }

    @Test
    void on_a_route_for_both_the_token_decides_where_there_is_one() {
        var svid = CA.issue("/ns/batch/sa/export");

        var withToken = request(both)
                .tls(tls(svid))
                .authorization("Bearer " + CORP.issue())
                .context();
        assertThat(stage.evaluate(withToken)).isSameAs(Verdict.Pass.PASS);
        assertThat(withToken.principal()).isInstanceOf(Principal.Subject.class);

        var without = from(svid, both);
        assertThat(stage.evaluate(without)).isSameAs(Verdict.Pass.PASS);
        assertThat(without.principal()).isInstanceOf(Principal.Workload.class);
    }

    @Test
    void no_certificate_rescues_a_request_with_a_bad_token() {
        var svid = CA.issue("/ns/batch/sa/export");

        for (var authorization : List.of("Bearer " + CORP.token().forge(), "Bearer x", "Basic eA==", "")) {
            var context =
                    request(both).tls(tls(svid)).authorization(authorization).context();

            assertThat(stage.evaluate(context)).as(authorization).isInstanceOf(Verdict.Deny.class);
            assertThat(context.principal()).as(authorization).isSameAs(Principal.Anonymous.ANONYMOUS);
        }
    }

    @Test
    void on_a_route_for_both_a_refusal_names_both_ways() {
        assertThat(challengesOf(stage.evaluate(request(both).context())))
                .containsExactly(
                        "Bearer realm=\"api.example.org\",resource_metadata=\"" + TestIssuer.METADATA + "\"",
                        "ClientCertificate realm=\"api.example.org\"");
        assertThat(challengesOf(stage.evaluate(from(CA.issue("/ns/other/sa/other"), both))))
                .hasSize(2);
    }

    @Test
    void what_matches_no_route_is_open_to_the_workloads_of_the_hosts_routes() {
        var unmatched = TestIssuer.route(AcceptedTokens.unmatched(
                List.of(accepted(List.of(EXPORT)), accepted(List.of(), corp)), TestIssuer.METADATA, "api.example.org"));

        assertThat(stage.evaluate(from(CA.issue("/ns/batch/sa/export"), unmatched)))
                .isSameAs(Verdict.Pass.PASS);
        assertThat(stage.evaluate(request(unmatched)
                        .authorization("Bearer " + CORP.issue())
                        .context()))
                .isSameAs(Verdict.Pass.PASS);
        assertThat(reasonOf(stage.evaluate(request(unmatched).context()))).isEqualTo(Reason.AUTHENTICATE_JWT_MISSING);
    }

    private static AcceptedTokens accepted(List<String> ids, Issuer... issuers) {
        var findings = new Findings();
        var byName = Arrays.stream(issuers).collect(Collectors.toMap(Issuer::name, Function.identity()));
        var section = new RouteAuthentication(
                List.copyOf(byName.keySet()),
                List.of(),
                null,
                ids.stream().map(ExpectedId::parse).toList(),
                false);
        return Objects.requireNonNull(
                AcceptedTokens.compile(
                        section, byName, TestIssuer.METADATA, "api.example.org", findings.at("authenticate")),
                () -> findings.all().toString());
    }

    private static Route route(List<String> ids, Issuer... issuers) {
        return TestIssuer.route(accepted(ids, issuers));
    }

    private static FakeRequest request(Route route) {
        return TestIssuer.get(route);
    }

    private static RequestContext from(Svid svid, Route route) {
        return request(route).tls(tls(svid)).context();
    }

    private static TlsConnection tls(@Nullable Svid svid) {
        return tls(svid, false);
    }

    private static TlsConnection required(@Nullable Svid svid) {
        return tls(svid, true);
    }

    private static TlsConnection tls(@Nullable Svid svid, boolean required) {
        return new TlsConnection(
                "TLSv1.3", "api.example.org", svid == null ? null : new PeerCertificate(svid.chain()), required, null);
    }

    private static @Nullable String evidenceOf(Verdict verdict, Evidence.Key key) {
        return ((Verdict.Deny) verdict).denial().evidence().get(key);
    }

    private static Reason reasonOf(Verdict verdict) {
        return ((Verdict.Deny) verdict).denial().reason();
    }

    private static List<String> challengesOf(Verdict verdict) {
        return ((Denial.Unauthenticated) ((Verdict.Deny) verdict).denial())
                .challenges().stream().map(Challenge::headerValue).toList();
    }
}
