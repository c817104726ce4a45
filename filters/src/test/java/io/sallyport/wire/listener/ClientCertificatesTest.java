// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import io.sallyport.forward.TestCa.Svid;
import io.sallyport.identity.TrustBundles;
import io.sallyport.pipeline.PeerCertificate;
import io.sallyport.wire.WireServer;
import io.sallyport.wire.tls.ClientCertificates;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.netty.http.HttpProtocol;
import reactor.netty.http.client.HttpClient;

/** The listener asks its clients for an X509-SVID, over real TLS. */
class ClientCertificatesTest {
    private static final Denial DENIED = new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED);

    private final TestCa ca = TestCa.of("example.org");
    private final Svid caller = ca.intermediate().issue("/ns/batch/sa/export");
    private volatile @Nullable TrustBundles bundles = TrustBundles.of(ca.bundle());

    @TempDir
    private Path files;

    private WireServer server = WireServer.denying(DENIED);

    @BeforeEach
    void writeCertificate() {
        TestCa.of("servers.test")
                .issue(new Leaf().dnsName("localhost"))
                .writeTo(files.resolve("tls.crt"), files.resolve("tls.key"));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @ParameterizedTest
    @EnumSource(
            value = HttpProtocol.class,
            names = {"HTTP11", "H2"})
    void a_request_knows_the_svid_of_its_connection(HttpProtocol protocol) throws Exception {
        start(ClientCertificates.OPTIONAL);

        assertThat(status(protocol, caller)).isEqualTo(403);

        var peer = Objects.requireNonNull(peerOfTheRequest());
        assertThat(peer.chain()).isEqualTo(caller.chain());
        assertThat(counted("verified")).isOne();
    }

    @Test
    void who_shows_none_is_let_in_where_it_is_optional() throws Exception {
        start(ClientCertificates.OPTIONAL);

        assertThat(status(HttpProtocol.HTTP11, null)).isEqualTo(403);
        assertThat(peerOfTheRequest()).isNull();
    }

    @Test
    void who_shows_none_gets_no_connection_where_it_is_required() {
        start(ClientCertificates.REQUIRED);

        assertThatThrownBy(() -> status(HttpProtocol.HTTP11, null)).isNotNull();
        assertThat(status(HttpProtocol.HTTP11, caller)).isEqualTo(403);
    }

    @Test
    void nobody_is_asked_by_default() throws Exception {
        start(ClientCertificates.NONE);

        assertThat(status(HttpProtocol.HTTP11, caller)).isEqualTo(403);
        assertThat(peerOfTheRequest()).isNull();
    }

    @ParameterizedTest
    @EnumSource(
            value = ClientCertificates.class,
            names = {"OPTIONAL", "REQUIRED"})
    void a_certificate_that_is_no_svid_ends_the_handshake_also_where_none_would_do(ClientCertificates mode) {
        start(mode);

        assertRefused(TestCa.of("example.org").issue("/ns/batch/sa/export"));
        assertRefused(ca.issue(new Leaf().dnsName("client.example.org")));
        assertRefused(ca.issue(new Leaf().uris("spiffe://partner.test/ns/batch/sa/export")));
        assertThat(counted("refused")).isEqualTo(3);
        assertThat(server.hasAnotherOutcome()).isFalse();
    }

    @Test
    void as_long_as_there_are_no_bundles_nobody_can_prove_anything() {
        bundles = null;
        start(ClientCertificates.OPTIONAL);

        assertRefused(caller);

        bundles = TrustBundles.of(ca.bundle());
        assertThat(status(HttpProtocol.HTTP11, caller)).isEqualTo(403);
    }

    /** A resumed handshake asks no trust manager: what it hands on has to be judged by whoever reads it. */
    @Test
    void a_resumed_session_hands_the_certificate_on_though_nobody_has_verified_it_again() throws Exception {
        start(ClientCertificates.REQUIRED);
        var client = tls(caller);

        answer(client);
        assertThat(peerOfTheRequest()).isNotNull();
        bundles = TrustBundles.of(TestCa.of("example.org").bundle());
        answer(client);

        var peer = Objects.requireNonNull(peerOfTheRequest());
        assertThat(counted("verified")).as("handshakes that verified it").isOne();
        assertThat(peer.judgedBy(Objects.requireNonNull(bundles), WireServer.NOW))
                .isInstanceOf(TrustBundles.Untrusted.class);
    }

    private void start(ClientCertificates mode) {
        server.tls(new ListenerConfig.Tls(files.resolve("tls.crt"), files.resolve("tls.key"), List.of(), mode))
                .bundles(() -> bundles)
                .start();
    }

    private void assertRefused(Svid svid) {
        assertThatThrownBy(() -> status(HttpProtocol.HTTP11, svid)).isNotNull();
    }

    private @Nullable PeerCertificate peerOfTheRequest() throws InterruptedException {
        return Objects.requireNonNull(server.ended().context().head().tls()).peer();
    }

    private double counted(String result) {
        return server.meters
                .get("sallyport.client.certificates")
                .tag("result", result)
                .counter()
                .count();
    }

    private int status(HttpProtocol protocol, @Nullable Svid svid) {
        var tls = nettyTls(svid, protocol);
        var response = HttpClient.newConnection()
                .protocol(protocol)
                .secure(spec -> spec.sslContext(tls))
                .get()
                .uri("https://localhost:%d/".formatted(server.port()))
                .response()
                .block();
        return Objects.requireNonNull(response).status().code();
    }

    private static SslContext nettyTls(@Nullable Svid svid, HttpProtocol protocol) {
        try {
            var builder = SslContextBuilder.forClient()
                    .sslProvider(SslProvider.JDK)
                    .trustManager(InsecureTrustManagerFactory.INSTANCE)
                    .endpointIdentificationAlgorithm(null)
                    .applicationProtocolConfig(new ApplicationProtocolConfig(
                            ApplicationProtocolConfig.Protocol.ALPN,
                            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                            protocol == HttpProtocol.H2 ? "h2" : "http/1.1"));
            return (svid == null ? builder : builder.keyManager(svid.key(), svid.chainArray())).build();
        } catch (SSLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The JDK's own client, which resumes sessions. */
    private static SSLContext tls(Svid svid) throws Exception {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setKeyEntry("svid", svid.key(), new char[0], svid.chain().toArray(X509Certificate[]::new));
        var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        var context = SSLContext.getInstance("TLS");
        context.init(
                keys.getKeyManagers(), InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), new SecureRandom());
        return context;
    }

    private void answer(SSLContext tls) throws Exception {
        try (var socket = (SSLSocket) tls.getSocketFactory().createSocket("localhost", server.port())) {
            socket.getOutputStream()
                    .write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .startsWith("HTTP/1.1 403");
        }
    }
}
