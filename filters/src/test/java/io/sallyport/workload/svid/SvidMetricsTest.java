// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.svid;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SvidMetricsTest {
    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");

    private final TestCa ca = TestCa.of("example.org");
    private final TestCa partner = TestCa.of("partner.test");
    private final FakeSvidSource source = new FakeSvidSource();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

    @Test
    void without_an_identity_there_is_nothing_to_measure() {
        SvidMetrics.bind(source, InstantSource.fixed(NOW), meters);

        assertThat(gauge("sallyport.svid.seconds.to.expiry")).isNaN();
        assertThat(rotations()).isZero();
    }

    @Test
    void the_time_that_is_left_is_told_and_when_it_is_over_too() {
        SvidMetrics.bind(source, InstantSource.fixed(NOW), meters);

        source.hold(ca.issue(gateway().validUntil(NOW.plusSeconds(90))), ca.bundle());
        assertThat(gauge("sallyport.svid.seconds.to.expiry")).isEqualTo(90);

        source.hold(ca.issue(gateway().validUntil(NOW.minusSeconds(30))), ca.bundle());
        assertThat(gauge("sallyport.svid.seconds.to.expiry")).isEqualTo(-30);
    }

    @Test
    void another_svid_is_a_rotation_and_another_bundle_is_none() {
        var first = ca.issue("/gateway");
        source.hold(first, ca.bundle());
        SvidMetrics.bind(source, InstantSource.fixed(NOW), meters);

        source.hold(first, Map.of(ca.trustDomain(), Set.of(ca.certificate(), partner.certificate())));
        assertThat(rotations()).isZero();

        source.hold(ca.issue("/gateway"), ca.bundle());
        assertThat(rotations()).isEqualTo(1);
    }

    @Test
    void each_bundle_has_an_age_until_it_is_withdrawn() {
        SvidMetrics.bind(source, () -> Instant.now().plusSeconds(60), meters);

        source.hold(ca.issue("/gateway"), partner.bundle());

        assertThat(meters.get("sallyport.bundle.age.seconds")
                        .tag("trust_domain", "partner.test")
                        .gauge()
                        .value())
                .isGreaterThanOrEqualTo(60);
        source.withdraw();
        assertThat(gauge("sallyport.bundle.age.seconds")).isNaN();
    }

    private static Leaf gateway() {
        return new Leaf().uris("spiffe://example.org/gateway");
    }

    private double gauge(String name) {
        return meters.get(name).gauge().value();
    }

    private double rotations() {
        return meters.get("sallyport.svid.rotations").counter().count();
    }
}
