// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.FakeJwkSetSource;
import io.sallyport.authenticate.TestIssuer;
import io.sallyport.authenticate.TestTokens;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.TestCa;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Route;
import io.sallyport.revocation.RevocationModule;
import io.sallyport.revocation.denylist.DenyListIndex;
import io.sallyport.revocation.denylist.MemoryDenyListStore;
import io.sallyport.workload.svid.NoIdentity;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

/** What keeps the gateway out of service, and what does not. */
final class HealthTest {
    private final InstantSource clock = InstantSource.fixed(FakeRequest.NOW);

    @Test
    void a_gateway_without_routes_that_need_an_identity_needs_none() {
        assertThat(new SvidHealth(new NoIdentity(), false, clock).health().getStatus())
                .isEqualTo(Status.UP);
    }

    @Test
    void no_svid_yet_is_out_of_service() {
        assertThat(new SvidHealth(new NoIdentity(), true, clock).health().getStatus())
                .isEqualTo(Status.OUT_OF_SERVICE);
    }

    @Test
    void an_svid_is_in_service_until_it_expires() {
        var ca = TestCa.of("example.org");
        var svid = ca.issue(
                new TestCa.Leaf().uris("spiffe://example.org/gateway").validUntil(FakeRequest.NOW.plusSeconds(60)));
        var source = new FakeSvidSource().hold(svid, ca.bundle());

        assertThat(new SvidHealth(source, true, clock).health().getStatus()).isEqualTo(Status.UP);
        var later = InstantSource.fixed(FakeRequest.NOW.plusSeconds(61));
        assertThat(new SvidHealth(source, true, later).health().getStatus()).isEqualTo(Status.OUT_OF_SERVICE);
        source.withdraw();
        assertThat(new SvidHealth(source, true, clock).health().getStatus()).isEqualTo(Status.OUT_OF_SERVICE);
    }

    @Test
    void one_issuer_that_cannot_be_reached_keeps_nobody_elses_gateway_from_being_ready() {
        var corp = issuer("corp", FakeJwkSetSource.of(TestTokens.es256()));
        var away = FakeJwkSetSource.unavailable();
        away.fail("https://partner.example.net/jwks answered 404 (expected: 200)");
        var partner = issuer("partner", away);

        var health = keySets(List.of(corp, partner), TestIssuer.route(corp), TestIssuer.route(partner));

        assertThat(health.getStatus()).isEqualTo(Status.UP);
        assertThat(health.getDetails())
                .containsEntry(
                        "issuers",
                        Map.of(
                                "corp",
                                "keys present",
                                "partner",
                                "no keys; the last fetch failed: https://partner.example.net/jwks answered 404 (expected: 200)"));
    }

    @Test
    void an_issuer_that_is_required_keeps_the_gateway_out_of_service_and_is_named() {
        var corp = issuer("corp", FakeJwkSetSource.of(TestTokens.es256()));
        var partner = TestIssuer.named("partner", FakeJwkSetSource.unavailable())
                .issuer("https://partner.example.net")
                .required()
                .compile();

        var health = keySets(List.of(corp, partner), TestIssuer.route(corp), TestIssuer.route(partner));

        assertThat(health.getStatus()).isEqualTo(Status.OUT_OF_SERVICE);
        assertThat(health.getDetails()).containsEntry("cause", "required issuers without keys: partner");
    }

    @Test
    void a_gateway_none_of_whose_routes_can_serve_is_out_of_service() {
        var partner = issuer("partner", FakeJwkSetSource.unavailable());

        assertThat(keySets(List.of(partner), TestIssuer.route(partner)).getStatus())
                .isEqualTo(Status.OUT_OF_SERVICE);
        assertThat(keySets(List.of(partner), TestIssuer.route(partner), open()).getStatus())
                .isEqualTo(Status.UP);
    }

    /** A pod that is ready a moment before its keys have come would answer 503. */
    @Test
    void readiness_waits_for_the_end_of_each_first_fetch() {
        var corp = issuer("corp", FakeJwkSetSource.of(TestTokens.es256()));
        var partner = issuer("partner", FakeJwkSetSource.fetching());

        var health = keySets(List.of(corp, partner), TestIssuer.route(corp), TestIssuer.route(partner));

        assertThat(health.getStatus()).isEqualTo(Status.OUT_OF_SERVICE);
        assertThat(health.getDetails()).containsEntry("cause", "keys are being fetched: partner");
    }

    @Test
    void keys_that_serve_although_they_cannot_be_renewed_show_in_health() {
        var keys = FakeJwkSetSource.of(TestTokens.es256());
        keys.fail("the key set has no usable key");
        var corp = issuer("corp", keys);

        assertThat(keySets(List.of(corp), TestIssuer.route(corp)).getDetails())
                .containsEntry(
                        "issuers",
                        Map.of("corp", "keys present; the last fetch failed: the key set has no usable key"));
    }

    private static Issuer issuer(String name, FakeJwkSetSource keys) {
        return TestIssuer.named(name, keys)
                .issuer("https://" + name + ".example.net")
                .compile();
    }

    private static Route open() {
        return Route.builder("status", "api.example.org", Route.Kind.UPSTREAM)
                .makePublic()
                .build();
    }

    private Health keySets(List<Issuer> issuers, Route... routes) {
        return new KeySetHealth(() -> new KeySetHealth.State(issuers, List.of(routes)), clock).health();
    }

    @Test
    void a_refused_file_is_no_outage_but_shows_in_health() {
        var health = new ConfigurationHealth(() -> new ConfigurationHealth.State("1b2c3d4e5f60", 1, null)).health();

        assertThat(health.getStatus()).isEqualTo(Status.UP);
        assertThat(health.getDetails())
                .containsEntry("revision", "1b2c3d4e5f60")
                .containsEntry("file", "refused")
                .containsEntry("findings", 1);
    }

    @Test
    void a_missing_file_is_no_outage_but_shows_in_health() {
        var state = new ConfigurationHealth.State("1b2c3d4e5f60", 0, "there is no such file");
        var health = new ConfigurationHealth(() -> state).health();

        assertThat(health.getStatus()).isEqualTo(Status.UP);
        assertThat(health.getDetails())
                .containsEntry("file", "unreadable")
                .containsEntry("problem", "there is no such file");
    }

    @Test
    void a_deny_list_that_was_not_read_back_is_out_of_service() {
        var index = new DenyListIndex(new SimpleMeterRegistry());
        var module = new RevocationModule(
                index, new MemoryDenyListStore(new DenyListIndex(new SimpleMeterRegistry()), 10, clock));
        var unread = StagesHealth.indicator(module.health());

        assertThat(requireNonNull(unread.health()).getStatus()).isEqualTo(Status.OUT_OF_SERVICE);
        index.complete();
        assertThat(requireNonNull(unread.health()).getStatus()).isEqualTo(Status.UP);
    }
}
