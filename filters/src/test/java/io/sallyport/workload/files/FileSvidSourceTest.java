// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Svid;
import io.sallyport.workload.svid.IdentityConfig;
import io.sallyport.workload.svid.SvidSource;
import io.sallyport.workload.svid.WorkloadIdentity;
import io.spiffe.spiffeid.TrustDomain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileSvidSourceTest {
    private final TestCa ca = TestCa.of("example.org");
    private final TestCa partner = TestCa.of("partner.test");

    @TempDir
    Path directory;

    private SvidSource source = new FakeSvidSource();

    @BeforeEach
    void bundles() throws IOException {
        Files.writeString(directory.resolve("bundle.pem"), TestCa.pemOf(List.of(ca.certificate())));
        Files.writeString(directory.resolve("partner.pem"), TestCa.pemOf(List.of(partner.certificate())));
    }

    @AfterEach
    void stop() {
        source.close();
    }

    @Test
    void files_that_are_there_are_read_before_anybody_asks() {
        var svid = ca.intermediate().issue("/ns/edge/sa/gateway");
        write(svid);

        watch();

        var identity = current();
        assertThat(identity.chain()).isEqualTo(svid.chain());
        assertThat(identity.key()).isEqualTo(svid.key());
        assertThat(identity.bundles().authoritiesOf(TrustDomain.parse("example.org")))
                .containsExactly(ca.certificate());
        assertThat(identity.bundles().authoritiesOf(TrustDomain.parse("partner.test")))
                .containsExactly(partner.certificate());
    }

    @Test
    void files_that_come_later_are_found() {
        watch();
        assertThat(source.current()).isNull();

        write(ca.issue("/gateway"));

        await().until(() -> source.current() != null);
    }

    @Test
    void a_rotated_svid_is_a_new_generation() {
        write(ca.issue("/gateway"));
        watch();
        var first = current();

        var renewed = ca.issue("/gateway");
        write(renewed);

        await().until(() -> current().generation() > first.generation());
        assertThat(current().chain()).isEqualTo(renewed.chain());
    }

    @Test
    void a_rotated_bundle_is_one_too() throws IOException {
        write(ca.issue("/gateway"));
        watch();
        var next = TestCa.of("example.org");

        Files.writeString(directory.resolve("bundle.pem"), TestCa.pemOf(List.of(ca.certificate(), next.certificate())));

        await().until(() -> current().bundles().authoritiesOf(ca.trustDomain()).size() == 2);
    }

    /** Between two writes the key is already the next one's: nothing is published until the certificate follows. */
    @Test
    void a_key_that_is_not_the_certificates_changes_nothing() {
        var svid = ca.issue("/gateway");
        var renewed = ca.issue("/gateway");
        write(new Svid(svid.chain(), renewed.key()));
        watch();
        assertThat(source.current()).isNull();

        write(renewed);

        await().until(() -> source.current() != null);
        assertThat(current().chain()).isEqualTo(renewed.chain());
    }

    @Test
    void a_file_that_is_no_svid_leaves_the_previous_identity() throws IOException {
        write(ca.issue("/gateway"));
        watch();
        var first = current();

        Files.writeString(directory.resolve("svid.pem"), "-----BEGIN CERTIFICATE-----\nnonsense\n");
        var renewed = ca.issue("/gateway");
        Files.writeString(
                directory.resolve("bundle.pem"),
                TestCa.pemOf(List.of(TestCa.of("example.org").certificate())));
        assertThat(current()).isSameAs(first);

        write(renewed);
        await().until(() -> current().chain().equals(renewed.chain()));
    }

    @Test
    void an_expired_svid_is_there_and_says_so() {
        var end = Instant.parse("2026-01-01T00:00:00Z");
        write(ca.issue(new TestCa.Leaf().uris("spiffe://example.org/gateway").validUntil(end)));

        watch();

        assertThat(source.state(end.minusSeconds(1))).isEqualTo(SvidSource.State.VALID);
        assertThat(source.state(end)).isEqualTo(SvidSource.State.EXPIRED);
        assertThat(source.ready(end)).isFalse();
    }

    @Test
    void an_expired_svid_does_not_replace_a_valid_one_and_a_later_valid_one_does() {
        var good = ca.issue("/gateway");
        write(good);
        watch();

        write(ca.issue(new TestCa.Leaf()
                .uris("spiffe://example.org/gateway")
                .validUntil(Instant.parse("2026-01-01T00:00:00Z"))));
        await().during(Duration.ofMillis(200)).until(() -> current().chain().equals(good.chain()));

        var renewed = ca.issue("/gateway");
        write(renewed);
        await().until(() -> current().chain().equals(renewed.chain()));
    }

    @Test
    void the_bundle_that_comes_with_an_expired_svid_is_taken_all_the_same() throws IOException {
        write(ca.issue("/gateway"));
        watch();
        var next = TestCa.of("example.org");

        write(ca.issue(new TestCa.Leaf()
                .uris("spiffe://example.org/gateway")
                .validUntil(Instant.parse("2026-01-01T00:00:00Z"))));
        Files.writeString(directory.resolve("bundle.pem"), TestCa.pemOf(List.of(next.certificate())));

        await().until(() ->
                current().bundles().authoritiesOf(ca.trustDomain()).equals(java.util.Set.of(next.certificate())));
        assertThat(current().isExpiredAt(Instant.parse("2026-11-22T00:00:00Z"))).isFalse();
    }

    @Test
    void an_ed25519_svid_is_one_too() throws Exception {
        var keys = java.security.KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        write(ca.issue(new TestCa.Leaf().uris("spiffe://example.org/gateway"), keys));

        watch();

        assertThat(current().key()).isEqualTo(keys.getPrivate());
    }

    private void watch() {
        source = FileSvidSource.watch(
                new IdentityConfig.Files(
                        directory.resolve("svid.pem"),
                        directory.resolve("key.pem"),
                        directory.resolve("bundle.pem"),
                        Map.of("partner.test", directory.resolve("partner.pem"))),
                InstantSource.system(),
                Duration.ofMillis(20));
    }

    private void write(Svid svid) {
        svid.writeTo(directory.resolve("svid.pem"), directory.resolve("key.pem"));
    }

    private WorkloadIdentity current() {
        return Objects.requireNonNull(source.current());
    }
}
