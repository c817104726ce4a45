// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.config.InvalidSetting;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import io.sallyport.forward.TestCa.Svid;
import io.sallyport.pipeline.CertificateNames;
import io.sallyport.wire.InsecureTls;
import io.sallyport.wire.RawClient;
import io.sallyport.wire.WireServer;
import io.sallyport.wire.listener.ListenerConfig;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which certificate a client is shown, over real TLS: by its SNI, and by what is in the files at that moment. */
class RenewedTlsTest {
    private static final TestCa CA = TestCa.of("servers.test");
    private static final Denial DENIED = new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED);

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Svid api = CA.issue(new Leaf().dnsName("api.example.org"));
    private final Svid other = CA.issue(new Leaf().dnsName("*.Other.example"));
    private final SSLContext client = InsecureTls.trustingAll();

    @TempDir
    private Path folder;

    private @Nullable RenewedTls tls;

    @BeforeEach
    void write() {
        api.writeTo(files("api").certificate(), files("api").key());
        other.writeTo(files("other").certificate(), files("other").key());
    }

    @AfterEach
    void close() {
        if (tls != null) {
            tls.close();
        }
    }

    @Test
    void a_client_is_shown_the_certificate_that_covers_the_name_that_it_asks_for() throws Exception {
        try (var server = serving()) {
            assertThat(shown(server, "api.example.org")).isEqualTo(api.leaf());
            assertThat(shown(server, "a.other.example")).isEqualTo(other.leaf());
            assertThat(shown(server, "A.OTHER.example")).isEqualTo(other.leaf());
        }
    }

    @Test
    void who_asks_for_none_of_the_names_or_for_nothing_is_shown_the_first() throws Exception {
        try (var server = serving()) {
            assertThat(shown(server, "elsewhere.example")).isEqualTo(api.leaf());
            assertThat(shown(server, "a.b.other.example"))
                    .as("a wildcard is one label")
                    .isEqualTo(api.leaf());
            assertThat(shown(server, "other.example")).as("and not none").isEqualTo(api.leaf());
            assertThat(shown(server, null)).isEqualTo(api.leaf());
        }
    }

    /** TLS asks for one kind of key after the other; an EC certificate further down must not be the answer. */
    @Test
    void the_first_is_the_first_whatever_kind_of_key_it_has() throws Exception {
        var generator = KeyPairGenerator.getInstance("RSA");
        var rsa = new ServerCertificate(
                List.of(api.leaf()), generator.generateKeyPair().getPrivate(), CertificateNames.of(api.leaf()));
        var certificates = new ServerCertificates(List.of(rsa, ServerCertificate.of(other.chain(), other.key())));

        assertThat(certificates.chooseServerAlias("EC", null, null)).isNull();
        assertThat(certificates.chooseServerAlias("RSA", null, null)).isEqualTo("0");
    }

    @Test
    void a_request_knows_what_the_certificate_of_its_connection_is_good_for() throws Exception {
        try (var server = serving()) {
            handshake(server, "a.other.example", "GET / HTTP/1.1\r\nHost: a.other.example\r\n\r\n");

            var connection =
                    Objects.requireNonNull(server.ended().context().head().tls());
            var scope = Objects.requireNonNull(connection.scope());
            assertThat(scope.shown().cover("b.other.example")).isTrue();
            assertThat(scope.shown().cover("api.example.org")).isFalse();
            assertThat(scope.isAnothers("api.example.org")).isTrue();
            assertThat(scope.isAnothers("b.other.example")).isFalse();
            assertThat(scope.isAnothers("elsewhere.example")).isFalse();
        }
    }

    @Test
    void a_renewed_certificate_is_what_the_next_handshake_sees_even_one_that_would_resume_an_older_session()
            throws Exception {
        var renewed = CA.issue(new Leaf().dnsName("api.example.org"));
        follow();
        try (var server = new HandshakeServer(tls)) {
            assertThat(server.shownTo(client)).isEqualTo(api.leaf());
            assertThat(server.shownTo(client)).isEqualTo(api.leaf());

            renewed.writeTo(files("api").certificate(), files("api").key());
            lookUntilItIsTaken();

            assertThat(server.shownTo(client)).isEqualTo(renewed.leaf());
            assertThat(counted("renewed")).isOne();
            assertThat(counted("refused")).isZero();
        }
    }

    @Test
    void a_certificate_without_its_key_changes_nothing_until_the_key_has_come() throws Exception {
        var renewed = CA.issue(new Leaf().dnsName("api.example.org"));
        var key = folder.resolve("renewed.key");
        follow();

        renewed.writeTo(files("api").certificate(), key);
        lookUntilItIsTaken();

        assertThat(leafInUse()).isEqualTo(api.leaf());
        assertThat(counted("refused")).isOne();

        Files.copy(key, files("api").key(), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        lookUntilItIsTaken();

        assertThat(leafInUse()).isEqualTo(renewed.leaf());
        assertThat(counted("renewed")).isOne();
    }

    @Test
    void files_that_are_nonsense_or_gone_or_expired_change_nothing() throws Exception {
        follow();
        for (var nonsense : List.of("", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "\0\u00ff")) {
            Files.writeString(files("api").certificate(), nonsense, java.nio.charset.StandardCharsets.ISO_8859_1);
            lookUntilItIsTaken();
            assertThat(leafInUse()).isEqualTo(api.leaf());
        }
        Files.delete(files("api").certificate());
        lookUntilItIsTaken();
        assertThat(leafInUse()).isEqualTo(api.leaf());

        var expired = CA.issue(new Leaf().dnsName("api.example.org").validUntil(Instant.parse("2026-11-01T00:00:00Z")));
        expired.writeTo(files("api").certificate(), files("api").key());
        lookUntilItIsTaken();

        assertThat(leafInUse()).isEqualTo(api.leaf());
        assertThat(counted("renewed")).isZero();
        assertThat(counted("refused")).isEqualTo(4);
    }

    @Test
    void a_port_does_not_open_with_a_pair_that_does_not_belong_together_and_no_key_is_quoted() throws Exception {
        Files.copy(files("other").key(), files("api").key(), java.nio.file.StandardCopyOption.REPLACE_EXISTING);

        assertThatThrownBy(this::follow)
                .isInstanceOf(InvalidSetting.class)
                .hasMessage("tls.key: %s: the key of another certificate (expected: the key of the first certificate)"
                        .formatted(files("api").key()))
                .hasMessageNotContaining(
                        Files.readAllLines(files("other").key()).get(1));
    }

    @Test
    void the_one_of_several_pairs_that_is_wrong_is_named() throws Exception {
        Files.writeString(files("other").key(), "no key");

        assertThatThrownBy(() -> RenewedTls.follow(
                        "listener", List.of(files("api"), files("other")), builder -> builder, clock(), meters))
                .isInstanceOf(InvalidSetting.class)
                .hasMessageStartingWith("tls.more-certificates[0].key: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"RSA", "EC", "Ed25519"})
    void each_kind_of_key_is_shown_to_a_client_that_knows_it(String algorithm) throws Exception {
        var keys = KeyPairGenerator.getInstance(algorithm).generateKeyPair();
        var certificate = CA.issue(new Leaf().dnsName("api.example.org"), keys);
        certificate.writeTo(files("api").certificate(), files("api").key());
        follow();

        try (var server = new HandshakeServer(tls)) {
            assertThat(server.shownTo(client)).isEqualTo(certificate.leaf());
        }
    }

    @Test
    void a_key_that_no_client_accepts_any_more_is_refused() throws Exception {
        var generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(1_024);
        var weak = generator.generateKeyPair().getPrivate();
        Files.writeString(
                files("api").key(),
                "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
                        .formatted(Base64.getMimeEncoder().encodeToString(weak.getEncoded())));

        assertThatThrownBy(this::follow).isInstanceOf(InvalidSetting.class);
    }

    @Test
    void the_time_to_expiry_is_that_of_the_certificate_in_use() {
        follow();

        assertThat(meters.get("sallyport.server.certificate.seconds.to.expiry")
                        .tag("port", "test")
                        .gauge()
                        .value())
                .isEqualTo(java.time.Duration.between(
                                        WireServer.NOW, api.leaf().getNotAfter().toInstant())
                                .toMillis()
                        / 1000d);
    }

    private CertificateFiles files(String name) {
        return new CertificateFiles(folder.resolve(name + ".crt"), folder.resolve(name + ".key"));
    }

    private WireServer serving() {
        return WireServer.denying(DENIED)
                .tls(new ListenerConfig.Tls(
                        files("api").certificate(),
                        files("api").key(),
                        List.of(files("other")),
                        ClientCertificates.NONE))
                .start();
    }

    private void follow() {
        tls = RenewedTls.follow("test", files("api"), null, clock(), meters);
    }

    private static InstantSource clock() {
        return InstantSource.fixed(WireServer.NOW);
    }

    /** As many looks as a change needs; the thread of its own may have had some of them. */
    private void lookUntilItIsTaken() {
        var following = Objects.requireNonNull(tls);
        following.look();
        following.look();
    }

    private X509Certificate leafInUse() {
        return Objects.requireNonNull(tls).certificates().all().getFirst().leaf();
    }

    private double counted(String result) {
        return meters.get("sallyport.server.certificate.changes")
                .tag("result", result)
                .counter()
                .count();
    }

    private X509Certificate shown(WireServer server, @Nullable String serverName) throws Exception {
        return handshake(server, serverName, "");
    }

    private static X509Certificate handshake(WireServer server, @Nullable String serverName, String request)
            throws Exception {
        try (var socket = (SSLSocket) InsecureTls.trustingAll()
                .getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), server.port())) {
            if (serverName != null) {
                var parameters = socket.getSSLParameters();
                parameters.setServerNames(List.of(new SNIHostName(serverName)));
                socket.setSSLParameters(parameters);
            }
            socket.startHandshake();
            if (!request.isEmpty()) {
                new RawClient(socket).send(request).readAnswer();
            }
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    /** Does handshakes and nothing else, with a context that is renewed under it. */
    private static final class HandshakeServer implements AutoCloseable {
        private final reactor.netty.DisposableServer server;

        HandshakeServer(@Nullable RenewedTls tls) {
            server = reactor.netty.http.server.HttpServer.create()
                    .host("127.0.0.1")
                    .port(0)
                    .secure(spec -> spec.sslContext(Objects.requireNonNull(tls)))
                    .handle((_, response) -> response.status(204).send())
                    .bindNow();
        }

        /** What a client sees that keeps its sessions, and has one whole exchange so that it gets one to keep. */
        X509Certificate shownTo(SSLContext client) throws Exception {
            try (var socket = (SSLSocket) client.getSocketFactory().createSocket("127.0.0.1", server.port())) {
                socket.startHandshake();
                var raw = new RawClient(socket).send("GET / HTTP/1.1\r\nHost: api.example.org\r\n\r\n");
                assertThat(raw.readHead()).startsWith("HTTP/1.1 204 ");
                return (X509Certificate) socket.getSession().getPeerCertificates()[0];
            }
        }

        @Override
        public void close() {
            server.disposeNow();
        }
    }
}
