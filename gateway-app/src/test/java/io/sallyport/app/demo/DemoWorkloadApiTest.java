// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spiffe.exception.SocketEndpointAddressException;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import io.spiffe.workloadapi.DefaultWorkloadApiClient;
import io.spiffe.workloadapi.DefaultX509Source;
import io.spiffe.workloadapi.Watcher;
import io.spiffe.workloadapi.WorkloadApiClient;
import io.spiffe.workloadapi.X509Context;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Served to the client that the gateway uses. */
class DemoWorkloadApiTest {
    private static final TrustDomain TRUST_DOMAIN = TrustDomain.parse("demo.sallyport.test");
    private static final SpiffeId GATEWAY = SpiffeId.parse("spiffe://demo.sallyport.test/ns/edge/sa/gateway");

    @TempDir
    Path directory;

    private final DemoCertificateAuthority authority =
            DemoCertificateAuthority.ofTrustDomain(TRUST_DOMAIN, InstantSource.system());
    private DemoWorkloadApi api;

    @BeforeEach
    void start() throws Exception {
        api = DemoWorkloadApi.start(directory, authority, GATEWAY, Duration.ofMinutes(5));
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void a_source_of_java_spiffe_gets_the_svid_and_the_bundle_of_its_trust_domain() throws Exception {
        var options = DefaultX509Source.X509SourceOptions.builder()
                .spiffeSocketPath(api.address().toString())
                .initTimeout(Duration.ofSeconds(10))
                .build();

        try (var source = DefaultX509Source.newSource(options)) {
            assertThat(source.getX509Svid().getSpiffeId()).isEqualTo(GATEWAY);
            assertThat(source.getBundleForTrustDomain(TRUST_DOMAIN).getX509Authorities())
                    .containsExactly(authority.root());
        }
    }

    @Test
    void it_listens_on_a_unix_socket_where_the_platform_has_epoll() {
        assertThat(api.address().getScheme()).isEqualTo("unix");
        assertThat(Files.exists(directory.resolve("workload.sock"))).isTrue();
    }

    @Test
    void a_rotation_pushes_a_new_key_into_a_stream_that_is_open() throws Exception {
        var updates = new Updates();
        try (var client = client()) {
            client.watchX509Context(updates);
            var first = updates.next().getDefaultSvid();

            var rotated = api.rotate();

            var second = updates.next().getDefaultSvid();
            assertThat(second.getLeaf()).isEqualTo(rotated.leaf()).isNotEqualTo(first.getLeaf());
            assertThat(second.getLeaf().getPublicKey())
                    .isNotEqualTo(first.getLeaf().getPublicKey());
        }
    }

    @Test
    void a_rotation_comes_by_itself_when_half_of_the_lifetime_has_passed() throws Exception {
        api.close();
        api = DemoWorkloadApi.start(
                Files.createDirectory(directory.resolve("short")), authority, GATEWAY, Duration.ofSeconds(1));
        var updates = new Updates();
        try (var client = client()) {
            client.watchX509Context(updates);

            var first = updates.next().getDefaultSvid();
            var second = updates.next().getDefaultSvid();

            assertThat(second.getLeaf()).isNotEqualTo(first.getLeaf());
        }
    }

    @Test
    void a_workload_without_an_entry_gets_no_identity_until_it_is_registered() throws Exception {
        api.close();
        api = DemoWorkloadApi.startUnregistered(
                Files.createDirectory(directory.resolve("none")), authority, GATEWAY, Duration.ofMinutes(5));
        try (var client = client()) {
            assertThatThrownBy(client::fetchX509Context).hasStackTraceContaining("PERMISSION_DENIED");

            var issued = api.rotate();

            assertThat(client.fetchX509Context().getDefaultSvid().getLeaf()).isEqualTo(issued.leaf());
        }
    }

    private WorkloadApiClient client() throws SocketEndpointAddressException {
        return DefaultWorkloadApiClient.newClient(DefaultWorkloadApiClient.ClientOptions.builder()
                .spiffeSocketPath(api.address().toString())
                .build());
    }

    private static final class Updates implements Watcher<X509Context> {
        private final LinkedBlockingQueue<X509Context> received = new LinkedBlockingQueue<>();

        X509Context next() throws InterruptedException {
            var update = received.poll(10, TimeUnit.SECONDS);
            assertThat(update).as("an update within 10 s").isNotNull();
            return update;
        }

        @Override
        public void onUpdate(X509Context update) {
            received.add(update);
        }

        @Override
        public void onError(Throwable error) {
            // The client tries again by itself; a test that waits for an update fails if that does not help.
        }
    }
}
