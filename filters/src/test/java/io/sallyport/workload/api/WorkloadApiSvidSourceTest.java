// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.sallyport.forward.FakeWorkloadApi;
import io.sallyport.forward.TestCa;
import io.sallyport.workload.svid.SvidSource;
import io.sallyport.workload.svid.WorkloadIdentity;
import io.spiffe.spiffeid.TrustDomain;
import io.spiffe.workloadapi.grpc.Workload;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkloadApiSvidSourceTest {
    private final TestCa ca = TestCa.of("example.org");
    private final TestCa partner = TestCa.of("partner.test");
    private final BlockingQueue<WorkloadIdentity> updates = new LinkedBlockingQueue<>();

    @TempDir
    Path directory;

    @SuppressWarnings("NullAway.Init") // by start(), before each test
    private FakeWorkloadApi api;

    @SuppressWarnings("NullAway.Init") // by start(), before each test
    private SvidSource source;

    @BeforeEach
    void start() {
        api = FakeWorkloadApi.on(directory.resolve("agent.sock"));
        source = WorkloadApiSvidSource.connect(api.uri(), InstantSource.system());
        source.onUpdate(identity -> {
            if (identity != null) {
                updates.add(identity);
            }
        });
    }

    @AfterEach
    void stop() {
        source.close();
        api.close();
    }

    @Test
    void without_an_entry_there_is_no_identity_and_the_gateway_keeps_asking() {
        await().until(() -> api.opened() >= 2);

        assertThat(source.current()).isNull();
        assertThat(source.state(InstantSource.system().instant())).isEqualTo(SvidSource.State.MISSING);
    }

    @Test
    void the_svid_and_all_bundles_come_from_one_message() throws InterruptedException {
        var svid = ca.intermediate().issue("/ns/edge/sa/gateway");
        api.serve(svid, ca, partner);

        var identity = nextUpdate();

        assertThat(identity.id()).hasToString("spiffe://example.org/ns/edge/sa/gateway");
        assertThat(identity.chain()).isEqualTo(svid.chain());
        assertThat(identity.key()).isEqualTo(svid.key());
        assertThat(identity.bundles().authoritiesOf(TrustDomain.parse("example.org")))
                .containsExactly(ca.certificate());
        assertThat(identity.bundles().authoritiesOf(TrustDomain.parse("partner.test")))
                .containsExactly(partner.certificate());
        assertThat(source.ready(InstantSource.system().instant())).isTrue();
    }

    @Test
    void a_pushed_rotation_is_a_new_generation() throws InterruptedException {
        api.serve(ca.issue("/gateway"), ca);
        var first = nextUpdate();

        var renewed = ca.issue("/gateway");
        api.serve(renewed, ca);
        var second = nextUpdate();

        assertThat(second.chain()).isEqualTo(renewed.chain());
        assertThat(second.generation()).isGreaterThan(first.generation());
        assertThat(source.current()).isSameAs(second);
    }

    @Test
    void what_a_message_leaves_out_is_withdrawn() throws InterruptedException {
        var svid = ca.issue("/gateway");
        api.serve(svid, ca, partner);
        nextUpdate();

        api.serve(svid, ca);

        assertThat(nextUpdate().bundles().trustDomains()).containsExactly(ca.trustDomain());
    }

    @Test
    void an_agent_that_is_gone_leaves_the_last_identity_and_is_found_again() throws InterruptedException {
        api.serve(ca.issue("/gateway"), ca);
        var first = nextUpdate();

        api.goAway();
        assertThat(source.current()).isSameAs(first);

        api.comeBack();
        var renewed = ca.issue("/gateway");
        api.serve(renewed, ca);
        assertThat(nextUpdate().chain()).isEqualTo(renewed.chain());
    }

    /** java-spiffe 0.8.17 takes an orderly end of the stream for the end of the watch. */
    @Test
    void a_stream_that_the_agent_completes_is_opened_again() throws InterruptedException {
        api.serve(ca.issue("/gateway"), ca);
        nextUpdate();

        api.complete();
        await().until(() -> api.opened() >= 2);

        var renewed = ca.issue("/gateway");
        api.serve(renewed, ca);
        assertThat(nextUpdate().chain()).isEqualTo(renewed.chain());
    }

    @Test
    void an_agent_that_repeats_itself_changes_nothing() throws InterruptedException {
        var svid = ca.issue("/gateway");
        api.serve(svid, ca);
        var first = nextUpdate();

        api.serve(svid, ca);
        api.serve(svid, ca, partner);

        assertThat(nextUpdate().generation()).isEqualTo(first.generation() + 1);
    }

    @Test
    void an_identity_that_is_denied_for_good_is_given_up() throws InterruptedException {
        api.serve(ca.issue("/gateway"), ca);
        nextUpdate();

        api.deny();

        await().until(() -> source.current() == null);
        api.serve(ca.issue("/gateway"), ca);
        assertThat(nextUpdate()).isNotNull();
    }

    @Test
    void a_message_without_svids_withdraws_the_identity() throws InterruptedException {
        api.serve(ca.issue("/gateway"), ca);
        nextUpdate();

        api.send(Workload.X509SVIDResponse.getDefaultInstance());

        await().until(() -> source.current() == null);
    }

    /** A partner without authorities must neither stay trusted nor keep the gateway from renewing its own SVID. */
    @Test
    void an_empty_bundle_of_a_partner_trusts_nobody_and_hinders_nothing() throws InterruptedException {
        api.serve(ca.issue("/gateway"), ca, partner);
        nextUpdate();

        var renewed = ca.issue("/gateway");
        api.send(FakeWorkloadApi.message(renewed, Set.of(ca.certificate()))
                .putFederatedBundles(partner.trustDomain().toIdString(), ByteString.EMPTY)
                .build());

        var next = nextUpdate();
        assertThat(next.chain()).isEqualTo(renewed.chain());
        assertThat(next.bundles().authoritiesOf(partner.trustDomain())).isEmpty();
    }

    @Test
    void a_message_that_cannot_be_right_is_dropped_whole() throws InterruptedException {
        var svid = ca.issue("/gateway");
        api.serve(svid, ca);
        var first = nextUpdate();

        var otherKey = ca.issue("/gateway");
        api.serve(new TestCa.Svid(svid.chain(), otherKey.key()), ca);
        api.send(Workload.X509SVIDResponse.newBuilder()
                .addSvids(Workload.X509SVID
                        .newBuilder()
                        .setSpiffeId("no id")
                        .setX509Svid(ByteString.copyFromUtf8("no certificate")))
                .build());
        api.serve(otherKey, Set.of());

        var renewed = ca.issue("/gateway");
        api.serve(renewed, ca);
        var next = nextUpdate();
        assertThat(next.chain()).isEqualTo(renewed.chain());
        assertThat(next.generation()).isEqualTo(first.generation() + 1);
    }

    private WorkloadIdentity nextUpdate() throws InterruptedException {
        return Objects.requireNonNull(updates.poll(20, TimeUnit.SECONDS), "no update within 20 s");
    }
}
