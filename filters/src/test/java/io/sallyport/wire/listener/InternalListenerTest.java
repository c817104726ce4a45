// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.sallyport.config.InvalidSetting;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import io.sallyport.forward.TestCa.Svid;
import io.sallyport.identity.ExpectedId;
import io.sallyport.wire.WireServer;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** The listener under the gateway's own SVID, over real TLS, with the JDK's client. */
@ExtendWith(OutputCaptureExtension.class)
class InternalListenerTest {
    private static final Denial DENIED = new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED);
    private static final String[] ONE = {"TLSv1.3"};

    private final TestCa ca = TestCa.of("example.org");
    private final TestCa partners = TestCa.of("partner.test");
    private final Svid gateway = ca.intermediate().issue("/ns/edge/sa/gateway");
    private final Svid export = ca.intermediate().issue("/ns/batch/sa/export");
    private final Svid partnersExport = partners.issue("/ns/batch/sa/export");
    private final FakeSvidSource identities = new FakeSvidSource();
    private final WireServer server = WireServer.denying(DENIED);

    @BeforeEach
    void start() {
        server.internal(
                        identities,
                        "spiffe://example.org/ns/batch/sa/*",
                        "spiffe://partner.test/ns/shop/sa/web",
                        "spiffe://example.org/ns/orders/sa/api")
                .start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void it_shows_the_gateways_svid_and_hands_the_callers_on(String version) throws Exception {
        identities.hold(gateway, ca.bundle());

        var shown = handshake(tls(export), version);

        assertThat(shown).containsExactlyElementsOf(gateway.chain());
        var tls = Objects.requireNonNull(server.ended().context().head().tls());
        assertThat(Objects.requireNonNull(tls.peer()).chain()).isEqualTo(export.chain());
        assertThat(tls.peerRequired()).isTrue();
        assertThat(tls.scope()).as("an SVID names no host").isNull();
        assertThat(counted("verified")).isOne();
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void after_a_rotation_a_new_handshake_shows_the_new_svid_and_resumes_nothing_older(String version)
            throws Exception {
        identities.hold(gateway, ca.bundle());
        var client = tls(export);
        assertThat(handshake(client, version)).contains(gateway.leaf());
        var renewed = ca.issue("/ns/edge/sa/gateway");

        identities.hold(renewed, ca.bundle());

        assertThat(handshake(client, version)).containsExactlyElementsOf(renewed.chain());
        assertThat(counted("verified")).as("callers that proved themselves").isEqualTo(2);
    }

    @Test
    void a_connection_that_is_open_outlives_a_rotation() throws Exception {
        identities.hold(gateway, ca.bundle());
        try (var connection = connect(server, tls(export), ONE)) {
            assertThat(ask(connection)).startsWith("HTTP/1.1 403");

            identities.hold(ca.issue("/ns/edge/sa/gateway"), ca.bundle());

            assertThat(ask(connection)).startsWith("HTTP/1.1 403");
        }
    }

    @Test
    void a_workload_that_is_not_named_gets_no_connection() {
        identities.hold(gateway, ca.bundle());

        assertRefused(ca.issue("/ns/marketing/sa/newsletter"));
        assertRefused(ca.issue("/ns/batch/sa/export/2"));
        assertThat(counted("id_denied")).isEqualTo(2);
        assertThat(counted("verified")).isZero();
    }

    @Test
    void a_foreign_workload_gets_one_only_if_federated_and_named() throws Exception {
        var web = partners.issue("/ns/shop/sa/web");
        identities.hold(gateway, ca.bundle());
        assertRefused(web);
        assertThat(counted("refused")).isOne();

        var both = new HashMap<>(ca.bundle());
        both.putAll(partners.bundle());
        identities.hold(gateway, both);

        assertThat(handshake(tls(web), "TLSv1.3")).contains(gateway.leaf());
        // The same path as a workload of ours that is named.
        assertRefused(partnersExport);
        assertThat(counted("id_denied")).isOne();
    }

    @Test
    void what_proves_nothing_gets_no_connection() throws Exception {
        identities.hold(gateway, ca.bundle());

        assertRefused(TestCa.of("example.org").issue("/ns/batch/sa/export"));
        assertRefused(ca.issue(new Leaf().dnsName("export.batch.svc")));
        assertRefused(ca.issue(
                new Leaf().uris("spiffe://example.org/ns/batch/sa/export").validUntil(WireServer.NOW.minusSeconds(1))));
        assertThat(counted("refused")).isEqualTo(3);
        assertRefused(null);
        assertThat(server.hasAnotherOutcome()).isFalse();
        until(() -> counted("failed") == 1);
    }

    @Test
    void without_an_svid_nobody_gets_a_connection_until_there_is_one() throws Exception {
        assertRefused(export);

        identities.hold(gateway, ca.bundle());
        assertThat(handshake(tls(export), "TLSv1.3")).contains(gateway.leaf());

        identities.withdraw();
        assertRefused(export);

        identities.hold(gateway, ca.bundle());
        assertThat(handshake(tls(export), "TLSv1.3")).contains(gateway.leaf());
    }

    @Test
    void the_listeners_limits_hold_here_too_but_no_load_balancer_speaks_for_workloads() throws Exception {
        identities.hold(gateway, ca.bundle());
        try (var limited = WireServer.denying(DENIED)
                        .listening(listener -> listener.maxConnectionsPerAddress(1)
                                .trustedProxies("127.0.0.0/8")
                                .proxyProtocol(ProxyProtocol.REQUIRED))
                        .internal(identities, "spiffe://example.org/ns/batch/sa/*")
                        .start();
                var first = connect(limited, tls(export), ONE)) {
            assertThat(ask(first)).startsWith("HTTP/1.1 403");

            assertThatThrownBy(() -> connect(limited, tls(export), ONE).startHandshake())
                    .isInstanceOf(IOException.class);
            assertThat(limited.meters
                            .get("sallyport.connections.refused")
                            .tag("listener", "internal-listener")
                            .tag("cause", "address")
                            .counter()
                            .count())
                    .isOne();
            assertThat(ask(first)).startsWith("HTTP/1.1 403");
        }
    }

    @Test
    void an_svid_that_has_expired_is_not_shown() throws Exception {
        identities.hold(
                ca.issue(new Leaf()
                        .uris("spiffe://example.org/ns/edge/sa/gateway")
                        .validUntil(WireServer.NOW)),
                ca.bundle());

        assertRefused(export);

        identities.hold(gateway, ca.bundle());
        assertThat(handshake(tls(export), "TLSv1.3")).contains(gateway.leaf());
    }

    @Test
    void of_refused_certificates_the_first_of_a_minute_is_logged(CapturedOutput output) throws Exception {
        identities.hold(gateway, ca.bundle());

        assertRefused(ca.issue("/ns/marketing/sa/newsletter"));
        until(() -> output.getOut().contains("was refused"));
        assertRefused(TestCa.of("example.org").issue("/ns/batch/sa/export"));
        until(() -> server.connections.open.get() == 0);

        assertThat(output.getOut().lines().filter(line -> line.contains("a client's certificate was refused")))
                .singleElement()
                .asString()
                .contains("WARN", "internal-listener", "spiffe://example.org/ns/marketing/sa/newsletter", "127.0.0.1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "address: localhost | localhost | 8445 | 1",
                "port: 65536 (expected: 0 to 65535) | 127.0.0.1 | 65536 | 1",
                "client-spiffe-ids: [] (expected: at least one workload, each once) | ::1 | 8445 | 0",
                "client-spiffe-ids: | ::1 | 8445 | 2"
            })
    void each_wrong_setting_is_refused_with_its_value(String row) {
        var fields = row.split(" \\| ", -1);
        var ids = Collections.nCopies(
                Integer.parseInt(fields[3]), ExpectedId.parse("spiffe://example.org/ns/batch/sa/export"));

        assertThatThrownBy(() -> new InternalListenerConfig(fields[1], Integer.parseInt(fields[2]), ids))
                .isInstanceOf(InvalidSetting.class)
                .hasMessageStartingWith(fields[0]);
    }

    private void assertRefused(@Nullable Svid svid) {
        assertThatThrownBy(() -> handshake(tls(svid), "TLSv1.3")).isInstanceOf(IOException.class);
    }

    /** What follows an alert that the client has seen already. */
    static void until(BooleanSupplier condition) throws InterruptedException {
        for (int i = 0; i < 1_000 && !condition.getAsBoolean(); i++) {
            Thread.sleep(10);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    private double counted(String result) {
        return server.meters
                .get("sallyport.client.certificates")
                .tag("listener", "internal-listener")
                .tag("result", result)
                .counter()
                .count();
    }

    /** A new connection and one request: a refusal may be learned only when the answer is waited for. */
    private List<Certificate> handshake(SSLContext client, String version) throws IOException {
        try (var connection = connect(server, client, new String[] {version})) {
            assertThat(ask(connection)).startsWith("HTTP/1.1 403");
            return List.of(connection.getSession().getPeerCertificates());
        }
    }

    private static SSLSocket connect(WireServer server, SSLContext client, String[] versions) throws IOException {
        var socket = (SSLSocket) client.getSocketFactory().createSocket("localhost", server.port());
        socket.setEnabledProtocols(versions);
        return socket;
    }

    private static String ask(Socket connection) throws IOException {
        connection
                .getOutputStream()
                .write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        var answer = new StringBuilder();
        while (answer.indexOf("}") < 0) {
            int next = connection.getInputStream().read();
            if (next < 0) {
                throw new SSLException("closed after: " + answer);
            }
            answer.append((char) next);
        }
        return answer.toString();
    }

    /** The JDK's own client, which resumes sessions where it can. */
    static SSLContext tls(@Nullable Svid svid) {
        try {
            var context = SSLContext.getInstance("TLS");
            context.init(
                    svid == null ? null : keys(svid), InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyManager[] keys(Svid svid) throws GeneralSecurityException, IOException {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setKeyEntry("svid", svid.key(), new char[0], svid.chainArray());
        var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        return keys.getKeyManagers();
    }
}
