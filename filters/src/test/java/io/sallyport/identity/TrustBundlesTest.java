// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import io.sallyport.forward.TestCa.Svid;
import io.sallyport.identity.TrustBundles.Judgement;
import io.sallyport.identity.TrustBundles.Proven;
import io.sallyport.identity.TrustBundles.Role;
import io.sallyport.identity.TrustBundles.Untrusted;
import io.sallyport.pipeline.FakeRequest;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What both sides of the gateway have in common; the rest of the checks are in {@code PinnedTrustManagerTest}. */
class TrustBundlesTest {
    private static final String CALLER = "spiffe://example.org/ns/batch/sa/export";
    private static final Instant NOW = FakeRequest.NOW;
    private static final TestCa CA = TestCa.of("example.org");
    private static final TrustBundles BUNDLES = TrustBundles.of(CA.bundle());

    @ParameterizedTest
    @EnumSource(Role.class)
    void an_svid_proves_its_workload_on_either_side(Role role) {
        assertThat(BUNDLES.judge(CA.issue("/ns/batch/sa/export").chain(), role, NOW))
                .isInstanceOfSatisfying(
                        Proven.class, proven -> assertThat(proven.id()).hasToString(CALLER));
    }

    /** X509-SVID section 4.4. */
    @Test
    void a_certificate_for_the_other_side_alone_proves_nothing() {
        var server = CA.issue(new Leaf().uris(CALLER).extendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
        var client = CA.issue(new Leaf().uris(CALLER).extendedKeyUsage(KeyPurposeId.id_kp_clientAuth));

        assertUntrusted(BUNDLES.judge(server.chain(), Role.CLIENT, NOW), "with clientAuth");
        assertUntrusted(BUNDLES.judge(client.chain(), Role.SERVER, NOW), "with serverAuth");
        assertThat(BUNDLES.judge(client.chain(), Role.CLIENT, NOW)).isInstanceOf(Proven.class);
    }

    @Test
    void a_proof_ends_with_the_first_of_its_path_to_expire() {
        var soon = NOW.plusSeconds(60);
        var later = NOW.plusSeconds(600);
        var leaf = CA.issue(new Leaf().uris(CALLER).validUntil(soon));
        var below = CA.intermediate(new Leaf()
                        .ca()
                        .keyUsage(KeyUsage.keyCertSign)
                        .uris("spiffe://example.org")
                        .validUntil(soon))
                .issue(new Leaf().uris(CALLER).validUntil(later));
        var root = TestCa.of("example.org", new Leaf().validUntil(soon));

        assertThat(endOf(leaf, BUNDLES)).isEqualTo(soon);
        assertThat(endOf(below, BUNDLES)).isEqualTo(soon);
        assertThat(endOf(root.issue(new Leaf().uris(CALLER).validUntil(later)), TrustBundles.of(root.bundle())))
                .isEqualTo(soon);
    }

    @Test
    void a_judgement_names_the_workload_that_was_claimed_if_one_was() {
        var foreign = TestCa.of("example.org").issue("/ns/batch/sa/export");

        assertThat(BUNDLES.judge(foreign.chain(), Role.CLIENT, NOW))
                .isInstanceOfSatisfying(
                        Untrusted.class,
                        untrusted -> assertThat(untrusted.claimed()).hasToString(CALLER));
        assertThat(BUNDLES.judge(List.of(), Role.CLIENT, NOW))
                .isInstanceOfSatisfying(
                        Untrusted.class,
                        untrusted -> assertThat(untrusted.claimed()).isNull());
    }

    @Test
    void bundles_are_equal_if_their_authorities_are() {
        assertThat(TrustBundles.of(new HashMap<>(CA.bundle())))
                .isEqualTo(BUNDLES)
                .hasSameHashCodeAs(BUNDLES);
        assertThat(TrustBundles.of(TestCa.of("example.org").bundle())).isNotEqualTo(BUNDLES);
        assertThat(TrustBundles.of(Map.of(CA.trustDomain(), Set.of()))).isNotEqualTo(BUNDLES);
    }

    private static Instant endOf(Svid svid, TrustBundles bundles) {
        return ((Proven) bundles.judge(svid.chain(), Role.CLIENT, NOW)).expiresAt();
    }

    private static void assertUntrusted(Judgement judgement, String why) {
        assertThat(judgement)
                .isInstanceOfSatisfying(
                        Untrusted.class,
                        untrusted -> assertThat(untrusted.why()).contains(why));
    }
}
