// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.netty.resources.LoopResources;
import tools.jackson.databind.json.JsonMapper;

/** Called over a plain TLS socket, with and without the certificate that it wants. */
class DemoUpstreamTest {
    private static final TrustDomain TRUST_DOMAIN = TrustDomain.parse("demo.sallyport.test");
    private static final SpiffeId GATEWAY = TRUST_DOMAIN.newSpiffeId("ns", "edge", "sa", "gateway");
    private static final SpiffeId ORDERS = TRUST_DOMAIN.newSpiffeId("ns", "orders", "sa", "orders");
    private static final LoopResources LOOPS = LoopResources.create("demo-upstream-test", 1, true);

    private final DemoCertificateAuthority authority =
            DemoCertificateAuthority.ofTrustDomain(TRUST_DOMAIN, InstantSource.system());
    private final DemoUpstream upstream =
            DemoUpstream.start("orders", ORDERS, new DemoUpstream.Endpoint("127.0.0.1", 0, LOOPS), authority, GATEWAY);

    @AfterEach
    void stop() {
        upstream.close();
    }

    @Test
    void the_gateway_is_answered_with_what_was_received() throws Exception {
        var svid = authority.svid(GATEWAY, Duration.ofMinutes(5));
        try (var connection = connect(authority, svid)) {
            assertThat(((X509Certificate) connection.getSession().getPeerCertificates()[0])
                            .getSubjectAlternativeNames())
                    .containsExactly(List.of(6, ORDERS.toString()));

            var body = exchange(
                    connection,
                    "POST /v1/orders?x=1 HTTP/1.1\r\nHost: o\r\nX-A: b\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");

            var seen = new JsonMapper().readTree(body);
            assertThat(seen.get("upstream").asString()).isEqualTo("orders");
            assertThat(seen.get("caller").asString()).isEqualTo(GATEWAY.toString());
            assertThat(seen.get("method").asString()).isEqualTo("POST");
            assertThat(seen.get("path").asString()).isEqualTo("/v1/orders?x=1");
            assertThat(seen.get("headers").get("X-A").asString()).isEqualTo("b");
            assertThat(seen.get("body_bytes").asInt()).isEqualTo(3);
        }
        assertThat(upstream.requests()).isEqualTo(1);
        assertThat(upstream.bytesReceived()).isPositive();
        assertThat(upstream.callerSerials())
                .containsExactly(svid.leaf().getSerialNumber().toString(16));
    }

    @Test
    void another_workload_of_the_same_trust_domain_is_not_let_in() throws Exception {
        refuses(authority.svid(ORDERS, Duration.ofMinutes(5)));
    }

    @Test
    void the_right_name_under_another_root_is_not_let_in() throws Exception {
        var other = DemoCertificateAuthority.ofTrustDomain(TRUST_DOMAIN, InstantSource.system());

        refuses(other.svid(GATEWAY, Duration.ofMinutes(5)));
    }

    @Test
    void a_renewed_svid_is_shown_from_the_next_connection_on() throws Exception {
        var renewed = authority.svid(ORDERS, Duration.ofMinutes(5));
        upstream.present(renewed);

        try (var connection = connect(authority, authority.svid(GATEWAY, Duration.ofMinutes(5)))) {
            assertThat(connection.getSession().getPeerCertificates()[0]).isEqualTo(renewed.leaf());
        }
    }

    private void refuses(Credentials caller) {
        // Under TLS 1.3 the refusal arrives with the first read, or breaks off the last write of the handshake.
        assertThatThrownBy(() -> {
                    try (var connection = connect(authority, caller)) {
                        var answer = exchange(connection, "GET / HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n");
                        throw new IOException("answered: " + answer);
                    }
                })
                .isInstanceOf(IOException.class)
                .message()
                .doesNotStartWith("answered");
        assertThat(upstream.requests()).isZero();
        assertThat(upstream.bytesReceived()).isZero();
    }

    private SSLSocket connect(DemoCertificateAuthority trusted, Credentials credentials) throws Exception {
        var keys = KeyStore.getInstance(KeyStore.getDefaultType());
        keys.load(null, null);
        keys.setKeyEntry(
                "c", credentials.key(), new char[0], credentials.chain().toArray(X509Certificate[]::new));
        var keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keyManagers.init(keys, new char[0]);
        var trustManagers = TrustManagerFactory.getInstance("PKIX");
        trustManagers.init(DemoTls.trustStore(List.of(trusted.root())));
        var context = SSLContext.getInstance("TLS");
        context.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
        var socket =
                (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), upstream.port());
        socket.setSoTimeout(10_000);
        socket.startHandshake();
        return socket;
    }

    private static String exchange(SSLSocket socket, String request) throws IOException {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
        var answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return answer.substring(answer.indexOf("{"), answer.lastIndexOf("}") + 1);
    }
}
