// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.TestCa;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.revocation.RevocationModule;
import io.sallyport.revocation.denylist.DenyListIndex;
import io.sallyport.revocation.denylist.MemoryDenyListStore;
import io.sallyport.workload.svid.NoIdentity;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
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
