// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.forward.TestCa;
import io.sallyport.identity.TrustBundles;
import java.util.HashMap;
import java.util.List;
import org.junit.jupiter.api.Test;

class PeerCertificateTest {
    private static final TestCa CA = TestCa.of("example.org");
    private static final TrustBundles BUNDLES = TrustBundles.of(CA.bundle());

    private final PeerCertificate peer =
            new PeerCertificate(CA.issue("/ns/batch/sa/export").chain());

    @Test
    void it_is_judged_once_as_long_as_the_bundles_say_the_same() {
        var judgement = peer.judgedBy(BUNDLES, FakeRequest.NOW);

        assertThat(judgement).isInstanceOf(TrustBundles.Proven.class);
        assertThat(peer.judgedBy(BUNDLES, FakeRequest.NOW)).isSameAs(judgement);
        assertThat(peer.judgedBy(TrustBundles.of(new HashMap<>(CA.bundle())), FakeRequest.NOW))
                .isSameAs(judgement);
    }

    @Test
    void it_is_judged_again_by_other_bundles() {
        peer.judgedBy(BUNDLES, FakeRequest.NOW);

        var next = TrustBundles.of(TestCa.of("example.org").bundle());

        assertThat(peer.judgedBy(next, FakeRequest.NOW)).isInstanceOf(TrustBundles.Untrusted.class);
        assertThat(peer.judgedBy(BUNDLES, FakeRequest.NOW)).isInstanceOf(TrustBundles.Proven.class);
    }

    @Test
    void there_is_none_without_a_leaf() {
        assertThatThrownBy(() -> new PeerCertificate(List.of())).hasMessageContaining("the leaf first");
    }
}
