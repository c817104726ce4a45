// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.decision.Reason;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import io.sallyport.forward.TestCa.Svid;
import io.sallyport.identity.ExpectedId;
import io.sallyport.identity.ExpectedIds;
import io.sallyport.identity.TrustBundles;
import io.sallyport.pipeline.FakeRequest;
import io.spiffe.spiffeid.TrustDomain;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PinnedTrustManagerTest {
    private static final String ORDERS = "spiffe://example.org/ns/orders/sa/api";
    private static final TestCa CA = TestCa.of("example.org");
    private static final TestCa STRANGER = TestCa.of("example.org");
    private static final TestCa PARTNER = TestCa.of("partner.test");
    private static final Instant NOW = FakeRequest.NOW;

    @Test
    void the_expected_workload_is_trusted() {
        assertThatCode(() -> present(CA.issue("/ns/orders/sa/api"))).doesNotThrowAnyException();
    }

    @Test
    void so_is_one_whose_authority_is_below_the_root() {
        assertThatCode(() -> present(CA.intermediate().intermediate().issue("/ns/orders/sa/api")))
                .doesNotThrowAnyException();
    }

    @Test
    void a_root_that_the_peer_sends_along_does_no_harm() {
        var svid = CA.intermediate().issue("/ns/orders/sa/api");
        var chain = Stream.concat(svid.chain().stream(), Stream.of(CA.certificate()))
                .toList();

        assertThatCode(() -> present(new Svid(chain, svid.key()))).doesNotThrowAnyException();
    }

    @Test
    void names_of_other_kinds_may_stand_beside_the_id() {
        assertThatCode(() -> present(CA.issue(new Leaf().uris(ORDERS).dnsName("anything.example"))))
                .doesNotThrowAnyException();
    }

    @Test
    void extended_key_usage_may_be_absent() {
        assertThatCode(() -> present(CA.issue(new Leaf().uris(ORDERS).extendedKeyUsage())))
                .doesNotThrowAnyException();
    }

    @Test
    void another_workload_of_the_same_trust_domain_is_a_mismatch_that_names_both() {
        assertThatThrownBy(() -> present(CA.issue("/ns/payments/sa/api")))
                .isInstanceOfSatisfying(PeerRefused.class, refused -> {
                    assertThat(refused.reason()).isEqualTo(Reason.FORWARD_IDENTITY_MISMATCH);
                    assertThat(refused.actual()).hasToString("spiffe://example.org/ns/payments/sa/api");
                    assertThat(refused).hasMessageContaining(ORDERS);
                });
    }

    /** Trap T19: a library that looks at the ID first says "mismatch" of an identity that nobody has proven. */
    @Test
    void an_untrusted_chain_with_a_wrong_id_is_untrusted_not_a_mismatch() {
        assertUntrusted(STRANGER.issue("/ns/payments/sa/api"));
    }

    /** SPEC's order: one URI name, a leaf, a chain, the pin. What is wrong in several ways is refused for the first. */
    @Test
    void a_wrong_leaf_is_refused_before_anybody_asks_who_signed_it() {
        assertThatThrownBy(() -> present(STRANGER.issue(new Leaf()
                        .uris("spiffe://example.org/x", "spiffe://example.org/y")
                        .ca())))
                .hasMessageStartingWith("2 URI names");
        assertThatThrownBy(() -> present(
                        STRANGER.issue(new Leaf().uris("spiffe://example.org/x").keyUsage(KeyUsage.cRLSign))))
                .hasMessageStartingWith("key usage of the leaf");
    }

    @Test
    void an_authority_that_has_expired_vouches_for_nobody_whatever_its_leaves_say() {
        var expired = TestCa.of("example.org", new Leaf().validUntil(NOW.minusSeconds(1)));

        assertUntrusted(expired.issue("/ns/orders/sa/api"), expired.bundle());
        assertUntrusted(expired.intermediate().issue("/ns/orders/sa/api"), expired.bundle());
    }

    @Test
    void a_certificate_in_the_bundle_that_is_no_authority_vouches_for_nobody() {
        for (var profile : List.of(new Leaf().notCa(), new Leaf().ca().keyUsage(KeyUsage.cRLSign))) {
            var none = CA.intermediate(profile);

            assertUntrusted(none.issue("/ns/orders/sa/api"), none.bundle());
        }
    }

    /** X509-SVID section 3.2: whatever bundle it was put into. */
    @Test
    void an_authority_that_says_to_be_another_trust_domains_vouches_for_none_of_this_one() {
        var foreign = TestCa.of("partner.test");

        assertUntrusted(
                foreign.issue(new Leaf().uris(ORDERS)), Map.of(CA.trustDomain(), Set.of(foreign.certificate())));
    }

    static Stream<Named<Svid>> wrongPeers() {
        var soon = NOW.plus(Duration.ofMinutes(10));
        return Stream.of(
                Named.of("signed by another root of the same name", STRANGER.issue("/ns/orders/sa/api")),
                Named.of(
                        "of a trust domain without bundle",
                        TestCa.of("unknown.test").issue("/ns/orders/sa/api")),
                Named.of("signed by the partner's root", PARTNER.issue(new Leaf().uris(ORDERS))),
                Named.of("no URI name", CA.issue(new Leaf())),
                Named.of("the ID only as DNS name", CA.issue(new Leaf().dnsName("orders.example.org"))),
                Named.of("the ID only as common name", CA.issue(new Leaf().commonName(ORDERS.replace('/', '_')))),
                Named.of("two URI names", CA.issue(new Leaf().uris(ORDERS, "https://example.org"))),
                Named.of("twice the same URI name", CA.issue(new Leaf().uris(ORDERS, ORDERS))),
                Named.of("an empty URI name", CA.issue(new Leaf().uris(""))),
                Named.of("a scheme of its own", CA.issue(new Leaf().uris("sparfe://example.org/ns/orders/sa/api"))),
                Named.of("an upper-case scheme", CA.issue(new Leaf().uris("SPIFFE://example.org/ns/orders/sa/api"))),
                Named.of(
                        "an upper-case trust domain",
                        CA.issue(new Leaf().uris("spiffe://EXAMPLE.org/ns/orders/sa/api"))),
                Named.of("an ID without path", CA.issue(new Leaf().uris("spiffe://example.org"))),
                Named.of(
                        "a leaf that is an authority",
                        CA.issue(new Leaf().uris(ORDERS).ca())),
                Named.of("keyCertSign", CA.issue(usage(KeyUsage.digitalSignature | KeyUsage.keyCertSign))),
                Named.of("cRLSign", CA.issue(usage(KeyUsage.digitalSignature | KeyUsage.cRLSign))),
                Named.of("no digitalSignature", CA.issue(usage(KeyUsage.keyAgreement))),
                Named.of("no key usage", CA.issue(new Leaf().uris(ORDERS).keyUsage(null))),
                Named.of(
                        "extended key usage without serverAuth",
                        CA.issue(new Leaf().uris(ORDERS).extendedKeyUsage(KeyPurposeId.id_kp_clientAuth))),
                Named.of(
                        "expired a second ago", CA.issue(new Leaf().uris(ORDERS).validUntil(NOW.minusSeconds(1)))),
                Named.of(
                        "not yet valid",
                        CA.issue(new Leaf().uris(ORDERS).validFrom(soon).validUntil(soon.plusSeconds(60)))),
                Named.of("an intermediate that is no authority", intermediate(new Leaf().notCa())),
                Named.of("an intermediate that may not sign", intermediate(new Leaf().ca())),
                Named.of(
                        "an intermediate of another trust domain",
                        intermediate(
                                new Leaf().ca().keyUsage(KeyUsage.keyCertSign).uris("spiffe://partner.test"))),
                Named.of(
                        "an intermediate that is a workload",
                        intermediate(
                                new Leaf().ca().keyUsage(KeyUsage.keyCertSign).uris(ORDERS))),
                Named.of("the root itself", new Svid(List.of(CA.certificate()), CA.key())),
                Named.of(
                        "an intermediate without its leaf",
                        new Svid(CA.intermediate().issue("/x").chain().subList(1, 2), CA.key())));
    }

    private static Leaf usage(int bits) {
        return new Leaf().uris(ORDERS).keyUsage(bits);
    }

    private static Svid intermediate(Leaf profile) {
        return CA.intermediate(profile).issue("/ns/orders/sa/api");
    }

    @ParameterizedTest
    @MethodSource("wrongPeers")
    void a_certificate_that_is_no_svid_of_its_trust_domain_is_untrusted(Svid svid) {
        assertUntrusted(svid);
    }

    /** Federation confusion: a partner's authority vouches for a workload of ours. */
    @Test
    void the_bundle_is_that_of_the_presented_trust_domain_not_of_the_expected_one() {
        var both = new HashMap<>(CA.bundle());
        both.putAll(PARTNER.bundle());

        assertUntrusted(PARTNER.issue(new Leaf().uris(ORDERS)), both);
        assertThatThrownBy(() -> present(PARTNER.issue("/ns/orders/sa/api"), both))
                .isInstanceOfSatisfying(
                        PeerRefused.class,
                        refused -> assertThat(refused.reason()).isEqualTo(Reason.FORWARD_IDENTITY_MISMATCH));
    }

    @Test
    void an_empty_bundle_trusts_nobody() {
        assertUntrusted(CA.issue("/ns/orders/sa/api"), Map.of(CA.trustDomain(), Set.of()));
        assertUntrusted(CA.issue("/ns/orders/sa/api"), Map.of());
    }

    @Test
    void no_certificate_at_all_is_untrusted() {
        assertThatThrownBy(() -> trustManager(CA.bundle()).checkServerTrusted(new X509Certificate[0], "ECDHE_ECDSA"))
                .isInstanceOfSatisfying(
                        PeerRefused.class,
                        refused -> assertThat(refused.reason()).isEqualTo(Reason.FORWARD_PEER_UNTRUSTED));
    }

    @Test
    void it_never_judges_a_client() {
        assertThatThrownBy(() -> trustManager(CA.bundle())
                        .checkClientTrusted(CA.issue("/ns/orders/sa/api").chainArray(), "ECDHE_ECDSA"))
                .isInstanceOf(CertificateException.class);
    }

    private void assertUntrusted(Svid svid) {
        assertUntrusted(svid, CA.bundle());
    }

    private void assertUntrusted(Svid svid, Map<TrustDomain, Set<X509Certificate>> bundles) {
        assertThatThrownBy(() -> present(svid, bundles))
                .isInstanceOfSatisfying(
                        PeerRefused.class,
                        refused -> assertThat(refused.reason()).isEqualTo(Reason.FORWARD_PEER_UNTRUSTED));
    }

    private void present(Svid svid) throws CertificateException {
        present(svid, CA.bundle());
    }

    private void present(Svid svid, Map<TrustDomain, Set<X509Certificate>> bundles) throws CertificateException {
        trustManager(bundles).checkServerTrusted(svid.chainArray(), "ECDHE_ECDSA");
    }

    private PinnedTrustManager trustManager(Map<TrustDomain, Set<X509Certificate>> bundles) {
        return new PinnedTrustManager(
                TrustBundles.of(bundles),
                ExpectedIds.of(List.of(ExpectedId.parse(ORDERS))),
                TestCandidate.none(),
                InstantSource.fixed(NOW));
    }
}
