// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.forward.DirectForwarder;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.RawUpstream;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import io.sallyport.forward.TestCa.Svid;
import io.sallyport.forward.TestFront;
import io.sallyport.forward.TestTarget;
import io.sallyport.forward.UpstreamClient;
import io.sallyport.pipeline.Route;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyPairGenerator;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Mutual TLS towards real servers, each test with both TLS providers. */
class PinnedUpstreamTest {
    enum Provider {
        OPENSSL,
        JDK
    }

    private static final String ORDERS = "spiffe://example.org/ns/orders/sa/api";

    private final TestCa ca = TestCa.of("example.org");
    private final Svid gateway = ca.issue("/ns/edge/sa/gateway");
    private final FakeSvidSource identities = new FakeSvidSource();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final HttpClient browser = HttpClient.newHttpClient();
    private final List<AutoCloseable> opened = new ArrayList<>();
    private InstantSource clock = InstantSource.system();

    @AfterEach
    void stop() throws Exception {
        browser.close();
        for (var each : opened.reversed()) {
            each.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void the_expected_workload_answers_and_sees_who_asks(Provider tls) throws Exception {
        var orders = upstream("/ns/orders/sa/api");
        var front = front(tls, route(orders, ORDERS));

        assertThat(get(front).body()).isEqualTo("hello");

        assertThat(orders.callers()).containsExactly(gateway.leaf());
        assertThat(handshakes("verified")).isEqualTo(1);
        assertThat(front.nextEnd().evidence()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void the_wrong_workload_is_a_mismatch_and_sees_not_one_byte(Provider tls) throws Exception {
        var payments = upstream("/ns/payments/sa/api");
        var front = front(tls, route(payments, ORDERS));

        assertRefused(front, 502, Reason.FORWARD_IDENTITY_MISMATCH);

        var end = front.nextEnd();
        assertThat(end.evidence())
                .containsEntry(Evidence.Key.UPSTREAM_EXPECTED_IDS, ORDERS)
                .containsEntry(Evidence.Key.UPSTREAM_SPIFFE_ID, "spiffe://example.org/ns/payments/sa/api");
        assertThat(end.lease()).containsExactly("failed");
        assertThat(payments.received()).isEmpty();
        assertThat(handshakes("identity_mismatch")).isEqualTo(1);
        assertThat(handshakes("verified")).isZero();
    }

    /** Trap T19: the chain is judged first, so nobody's word is taken for an ID that nobody proved. */
    @ParameterizedTest
    @EnumSource
    void an_impostor_with_a_wrong_id_is_untrusted_not_a_mismatch(Provider tls) throws Exception {
        var impostor = server(TestCa.of("example.org").issue("/ns/payments/sa/api"));
        var front = front(tls, route(impostor, ORDERS));

        assertRefused(front, 502, Reason.FORWARD_PEER_UNTRUSTED);

        assertThat(impostor.received()).isEmpty();
        assertThat(handshakes("peer_untrusted")).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void so_is_an_impostor_with_the_right_id(Provider tls) throws Exception {
        var impostor = server(TestCa.of("example.org").issue("/ns/orders/sa/api"));

        assertRefused(front(tls, route(impostor, ORDERS)), 502, Reason.FORWARD_PEER_UNTRUSTED);

        assertThat(impostor.received()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void and_a_web_server_that_is_no_workload(Provider tls) throws Exception {
        var web = server(ca.issue(new Leaf().dnsName("localhost")));

        assertRefused(front(tls, route(web, ORDERS)), 502, Reason.FORWARD_PEER_UNTRUSTED);

        assertThat(web.received()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void no_name_of_the_host_has_to_be_in_the_certificate(Provider tls) throws Exception {
        var orders = upstream("/ns/orders/sa/api");
        var target = route(orders, ORDERS, "localhost");

        assertThat(get(front(tls, target)).body()).isEqualTo("hello");
    }

    @ParameterizedTest
    @EnumSource
    void a_federated_workload_is_judged_by_its_own_bundle(Provider tls) throws Exception {
        var partner = TestCa.of("partner.test");
        var bundles = new HashMap<>(ca.bundle());
        bundles.putAll(partner.bundle());
        identities.hold(gateway, bundles);
        var theirs = server(partner.issue("/orders"));

        assertThat(get(front(tls, route(theirs, "spiffe://partner.test/orders")))
                        .body())
                .isEqualTo("hello");
    }

    /** Trap T20. */
    @ParameterizedTest
    @EnumSource
    void a_connection_that_was_verified_for_one_pin_never_serves_another(Provider tls) throws Exception {
        identities.hold(gateway, ca.bundle());
        var orders = upstream("/ns/orders/sa/api");
        var clients = clients(tls);
        var routes = Map.of(
                "orders", route(orders, ORDERS),
                "payments", route(orders, "spiffe://example.org/ns/payments/sa/api"));
        var front = opened(TestFront.of(
                new DirectForwarder(new UpstreamClient(clients)), name -> Objects.requireNonNull(routes.get(name))));

        assertThat(get(front, "/orders").statusCode()).isEqualTo(200);
        assertThat(get(front, "/orders").statusCode()).isEqualTo(200);
        var seen = orders.received();
        assertThat(front.reasonOf(get(front, "/payments"))).isEqualTo(Reason.FORWARD_IDENTITY_MISMATCH);

        assertThat(orders.received()).isEqualTo(seen);
    }

    @ParameterizedTest
    @EnumSource
    void on_http_2_the_wrong_workload_sees_not_one_byte_either(Provider tls) throws Exception {
        var payments = upstream("/ns/payments/sa/api");
        var target = target(UpstreamProtocol.H2, "127.0.0.1", payments.port(), ORDERS);

        assertRefused(front(tls, TestFront.route("orders", target)), 502, Reason.FORWARD_IDENTITY_MISMATCH);

        assertThat(payments.received()).isEmpty();
        assertThat(handshakes("identity_mismatch")).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void nor_does_the_right_one_that_has_not_agreed_to_http_2(Provider tls) throws Exception {
        var orders = upstream("/ns/orders/sa/api");
        var target = target(UpstreamProtocol.H2, "127.0.0.1", orders.port(), ORDERS);
        var front = front(tls, TestFront.route("orders", target));

        assertRefused(front, 502, Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR);

        assertThat(front.nextEnd().evidence().get(Evidence.Key.CAUSE)).contains("did not agree to h2 (ALPN)");
        assertThat(orders.received()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void who_waits_for_a_handshake_is_told_at_once_that_the_identity_was_withdrawn(Provider tls) throws Exception {
        try (var silent = new ServerSocket(0, 100, InetAddress.getLoopbackAddress())) {
            var front = front(tls, TestFront.route("orders", patient(silent.getLocalPort())));
            // More than one event loop makes at a time.
            var answers = new ArrayList<CompletableFuture<HttpResponse<String>>>();
            for (int i = 0; i < 100; i++) {
                answers.add(getLater(front));
            }
            silent.accept();

            identities.withdraw();

            for (var answer : answers) {
                assertThat(front.reasonOf(answer.get(20, TimeUnit.SECONDS))).isEqualTo(Reason.FORWARD_SVID_MISSING);
            }
        }
    }

    private static UpstreamTarget patient(int port) {
        return TestTarget.pinned(port, ORDERS)
                .timeout(Duration.ofMinutes(1))
                .connectTimeout(Duration.ofMinutes(1))
                .build();
    }

    // the gateway's own identity

    @ParameterizedTest
    @EnumSource
    void without_an_identity_nobody_is_even_connected_to(Provider tls) throws Exception {
        var orders = upstream("/ns/orders/sa/api");
        var front = front(tls, route(orders, ORDERS));
        identities.withdraw();

        assertRefused(front, 503, Reason.FORWARD_SVID_MISSING);

        assertThat(orders.connections()).isZero();
        assertThat(front.nextEnd().lease()).containsExactly("abandoned");
    }

    @ParameterizedTest
    @EnumSource
    void nor_with_one_that_has_expired(Provider tls) throws Exception {
        var end = Instant.parse("2026-01-01T00:00:00Z");
        identities.hold(ca.issue(new Leaf().uris("spiffe://example.org/gateway").validUntil(end)), ca.bundle());
        clock = InstantSource.fixed(end);
        var orders = upstream("/ns/orders/sa/api");

        assertRefused(frontAsItIs(tls, route(orders, ORDERS)), 503, Reason.FORWARD_SVID_EXPIRED);

        assertThat(orders.connections()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void new_handshakes_present_the_new_svid_at_once(Provider tls) throws Exception {
        var orders = upstream("/ns/orders/sa/api");
        var front = front(tls, route(orders, ORDERS));
        get(front);

        var renewed = ca.issue("/ns/edge/sa/gateway");
        identities.hold(renewed, ca.bundle());
        get(front);

        assertThat(orders.callers()).containsExactly(gateway.leaf(), renewed.leaf());
    }

    @ParameterizedTest
    @EnumSource
    void an_svid_is_presented_whatever_kind_of_key_it_has(Provider tls) throws Exception {
        var orders = upstream("/ns/orders/sa/api");
        var front = front(tls, route(orders, ORDERS));
        for (var algorithm : List.of("RSA", "Ed25519")) {
            var own = ca.issue(
                    new TestCa.Leaf().uris("spiffe://example.org/ns/edge/sa/gateway"),
                    KeyPairGenerator.getInstance(algorithm).generateKeyPair());
            identities.hold(own, ca.bundle());

            assertThat(get(front).body()).as(algorithm).isEqualTo("hello");
            assertThat(orders.callers().getLast()).isEqualTo(own.leaf());
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoever_was_replaced_is_never_presented_again(Provider tls) throws Exception {
        var orders = server(ca.issue("/ns/orders/sa/api"), turn -> {
            turn.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
            turn.close();
        });
        var front = front(tls, route(orders, ORDERS));
        var presented = new ArrayList<X509Certificate>();

        for (int i = 0; i < 10; i++) {
            var renewed = ca.issue("/ns/edge/sa/gateway");
            identities.hold(renewed, ca.bundle());
            presented.add(renewed.leaf());
            assertThat(get(front).body()).isEqualTo("hello");
        }

        assertThat(orders.callers()).isEqualTo(presented);
    }

    /** Trap 6: a resumed session goes on under the old identity, and asks no trust manager. */
    @ParameterizedTest
    @EnumSource
    void no_session_is_ever_resumed(Provider tls) throws Exception {
        var orders = server(ca.issue("/ns/orders/sa/api"), turn -> {
            turn.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
            turn.close();
        });
        var front = front(tls, route(orders, ORDERS));

        for (int i = 0; i < 8; i++) {
            assertThat(get(front).body()).isEqualTo("hello");
        }

        assertThat(orders.connections()).isEqualTo(8);
        assertThat(orders.callers()).hasSize(8);
        assertThat(handshakes("verified")).isEqualTo(8);
    }

    /** Trap 6: it is another workload now, and only a full handshake shows it. */
    @ParameterizedTest
    @EnumSource
    void a_session_of_the_former_workload_does_not_open_the_door_to_the_next(Provider tls) throws Exception {
        var upstream = ticketUpstream();
        var front = front(tls, TestFront.route("orders", target("127.0.0.1", upstream.port(), ORDERS)));
        assertThat(get(front).body()).isEqualTo("hello");

        upstream.become(ca.issue("/ns/payments/sa/api"));

        assertRefused(front, 502, Reason.FORWARD_IDENTITY_MISMATCH);
        assertThat(upstream.requests()).isEqualTo(1);
    }

    @Test
    void an_ordinary_client_goes_in_by_that_session_and_takes_the_one_for_the_other() throws Exception {
        var upstream = ticketUpstream();
        var ordinary = SSLContext.getInstance("TLS");
        ordinary.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);

        var first = leafSeenBy(ordinary, upstream);
        upstream.become(ca.issue("/ns/payments/sa/api"));
        var second = leafSeenBy(ordinary, upstream);

        assertThat(second).isEqualTo(first);
        assertThat(upstream.requests()).isEqualTo(2);
    }

    private TicketUpstream ticketUpstream() {
        Assumptions.assumeTrue(OpenSsl.isAvailable(), "no native TLS on this platform");
        return opened(TicketUpstream.of(ca.issue("/ns/orders/sa/api")));
    }

    private static Certificate leafSeenBy(SSLContext client, TicketUpstream upstream) throws IOException {
        try (var socket = (SSLSocket) client.getSocketFactory().createSocket("127.0.0.1", upstream.port())) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: orders\r\n\r\n".getBytes(ISO_8859_1));
            socket.getInputStream().transferTo(OutputStream.nullOutputStream());
            return socket.getSession().getPeerCertificates()[0];
        }
    }

    /** Trap T12: the library's client logs the error of its key manager, and goes on without a certificate. */
    @ParameterizedTest
    @EnumSource
    void an_svid_that_tls_cannot_use_sends_nothing_without_it(Provider tls) throws Exception {
        var orders = upstream("/ns/orders/sa/api");
        identities.hold(
                new Svid(gateway.chain(), ca.issue("/ns/edge/sa/gateway").key()), ca.bundle());
        var front = frontAsItIs(tls, route(orders, ORDERS));

        assertThat(get(front).statusCode()).isIn(502, 503);

        assertThat(orders.received()).isEmpty();

        identities.hold(ca.issue("/ns/edge/sa/gateway"), ca.bundle());
        assertThat(get(front).body()).isEqualTo("hello");
    }

    @ParameterizedTest
    @EnumSource
    void idle_connections_of_the_previous_identity_are_closed(Provider tls) throws Exception {
        var orders = upstream("/ns/orders/sa/api");
        var front = front(tls, route(orders, ORDERS));
        get(front);

        identities.hold(ca.issue("/ns/edge/sa/gateway"), ca.bundle());
        get(front);

        await().until(() -> orders.closedByPeer() == 1);
        assertThat(orders.connections()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource
    void a_request_under_way_outlives_a_rotation(Provider tls) throws Exception {
        var rotated = new CountDownLatch(1);
        var orders = server(ca.issue("/ns/orders/sa/api"), turn -> {
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
            awaitLatch(rotated);
            turn.send("-then");
        });
        var front = front(tls, route(orders, ORDERS));

        var answer = getLater(front);
        await().until(() -> orders.received().endsWith("\r\n\r\n"));
        identities.hold(ca.issue("/ns/edge/sa/gateway"), ca.bundle());
        rotated.countDown();

        assertThat(answer.get(20, TimeUnit.SECONDS).body()).isEqualTo("first-then");
    }

    @ParameterizedTest
    @EnumSource
    void an_authority_that_left_the_bundle_is_trusted_no_longer_not_even_by_open_connections(Provider tls)
            throws Exception {
        var next = TestCa.of("example.org");
        var both = Map.of(ca.trustDomain(), Set.of(ca.certificate(), next.certificate()));
        identities.hold(gateway, both);
        var orders = upstream("/ns/orders/sa/api");
        var front = frontAsItIs(tls, route(orders, ORDERS));
        assertThat(get(front).body()).isEqualTo("hello");

        identities.hold(gateway, next.bundle());

        await().until(() -> orders.closedByPeer() == 1);
        assertRefused(front, 502, Reason.FORWARD_PEER_UNTRUSTED);
    }

    @ParameterizedTest
    @EnumSource
    void nor_does_it_hold_a_request_under_way_for_longer_than_cut_after(Provider tls) throws Exception {
        var next = TestCa.of("example.org");
        var orders = endlessUpstream("/ns/orders/sa/api");
        var front = front(tls, route(orders, ORDERS));

        var answer = getLater(front);
        await().until(() -> orders.received().endsWith("\r\n\r\n"));
        identities.hold(gateway, next.bundle());

        assertThat(failureOf(answer)).isInstanceOf(IOException.class);
        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_RESET);
    }

    @ParameterizedTest
    @EnumSource
    void not_even_one_that_has_outlived_other_rotations_before(Provider tls) throws Exception {
        var orders = endlessUpstream("/ns/orders/sa/api");
        var front = front(tls, route(orders, ORDERS));

        var answer = getLater(front);
        await().until(() -> orders.received().endsWith("\r\n\r\n"));
        for (int i = 0; i < 3; i++) {
            identities.hold(ca.issue("/ns/edge/sa/gateway"), ca.bundle());
        }
        identities.hold(gateway, TestCa.of("example.org").bundle());

        assertThat(failureOf(answer)).isInstanceOf(IOException.class);
        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_RESET);
    }

    @ParameterizedTest
    @EnumSource
    void an_authority_that_a_partner_withdraws_cuts_connections_to_the_partner_alone(Provider tls) throws Exception {
        var partner = TestCa.of("partner.test");
        var both = new HashMap<>(ca.bundle());
        both.putAll(partner.bundle());
        identities.hold(gateway, both);
        var cut = new CountDownLatch(1);
        var ours = server(ca.issue("/ns/orders/sa/api"), turn -> {
            turn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
            awaitLatch(cut);
            turn.send("-then");
        });
        var theirs = opened(RawUpstream.tls(partner.issue("/orders"), PinnedUpstreamTest::neverFinish));
        var routes = Map.of("ours", route(ours, ORDERS), "theirs", route(theirs, "spiffe://partner.test/orders"));
        var front = opened(TestFront.of(
                new DirectForwarder(new UpstreamClient(clients(tls))),
                name -> Objects.requireNonNull(routes.get(name))));

        var ourAnswer = getLater(front, "/ours");
        var theirAnswer = getLater(front, "/theirs");
        await().until(() ->
                ours.received().endsWith("\r\n\r\n") && theirs.received().endsWith("\r\n\r\n"));
        identities.hold(gateway, ca.bundle());

        assertThat(failureOf(theirAnswer)).isInstanceOf(IOException.class);
        cut.countDown();
        assertThat(ourAnswer.get(20, TimeUnit.SECONDS).body()).isEqualTo("first-then");
    }

    @ParameterizedTest
    @EnumSource
    void an_identity_that_was_withdrawn_cuts_everything(Provider tls) throws Exception {
        var orders = endlessUpstream("/ns/orders/sa/api");
        var front = front(tls, route(orders, ORDERS));

        var answer = getLater(front);
        await().until(() -> orders.received().endsWith("\r\n\r\n"));
        identities.withdraw();

        assertThat(failureOf(answer)).isInstanceOf(IOException.class);
        assertThat(front.nextEnd().reason()).isEqualTo(Reason.FORWARD_UPSTREAM_RESET);
    }

    private RawUpstream endlessUpstream(String path) {
        return server(ca.issue(path), PinnedUpstreamTest::neverFinish);
    }

    private static void neverFinish(RawUpstream.Turn turn) throws IOException {
        turn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
        turn.awaitClose();
    }

    // TLS that fails for other reasons

    @ParameterizedTest
    @EnumSource
    void an_upstream_that_does_not_trust_the_gateway_is_tls_failed(Provider tls) throws Exception {
        var strict = opened(RawUpstream.tlsTrusting(
                ca.issue("/ns/orders/sa/api"), TestCa.of("other.test").certificate(), RawUpstream.text("hello")));
        var front = front(tls, route(strict, ORDERS));

        assertRefused(front, 502, Reason.FORWARD_TLS_FAILED);

        assertThat(handshakes("failed")).isEqualTo(1);
        assertThat(front.nextEnd().lease()).containsExactly("failed");
    }

    @ParameterizedTest
    @EnumSource
    void so_is_one_that_speaks_no_tls(Provider tls) throws Exception {
        identities.hold(gateway, ca.bundle());
        try (var plain = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                try (var connection = plain.accept()) {
                    connection.getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(ISO_8859_1));
                    connection.getInputStream().transferTo(OutputStream.nullOutputStream());
                } catch (IOException e) {
                    // closed by the gateway
                }
            });
            assertRefused(
                    frontAsItIs(tls, TestFront.route("orders", target("127.0.0.1", plain.getLocalPort(), ORDERS))),
                    502,
                    Reason.FORWARD_TLS_FAILED);
        }
    }

    @ParameterizedTest
    @EnumSource
    void one_that_closes_within_the_handshake_is_too(Provider tls) throws Exception {
        identities.hold(gateway, ca.bundle());
        try (var plain = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                try (var connection = plain.accept()) {
                    connection.getInputStream().read();
                } catch (IOException e) {
                    // closed by the gateway
                }
            });
            assertRefused(
                    frontAsItIs(tls, TestFront.route("orders", target("127.0.0.1", plain.getLocalPort(), ORDERS))),
                    502,
                    Reason.FORWARD_TLS_FAILED);
        }
    }

    @ParameterizedTest
    @EnumSource
    void one_that_never_finishes_the_handshake_is_connect_timeout(Provider tls) throws Exception {
        identities.hold(gateway, ca.bundle());
        try (var mute = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            assertRefused(
                    frontAsItIs(tls, TestFront.route("orders", target("127.0.0.1", mute.getLocalPort(), ORDERS))),
                    504,
                    Reason.FORWARD_CONNECT_TIMEOUT);
        }
    }

    private RawUpstream upstream(String path) {
        return server(ca.issue(path));
    }

    private RawUpstream server(Svid svid) {
        return server(svid, RawUpstream.text("hello"));
    }

    private RawUpstream server(Svid svid, RawUpstream.Script script) {
        return opened(RawUpstream.tls(svid, script));
    }

    private <T extends AutoCloseable> T opened(T resource) {
        opened.add(resource);
        return resource;
    }

    private TestFront front(Provider tls, Route route) {
        if (identities.current() == null) {
            identities.hold(gateway, ca.bundle());
        }
        return frontAsItIs(tls, route);
    }

    private TestFront frontAsItIs(Provider tls, Route route) {
        return opened(TestFront.of(new DirectForwarder(new UpstreamClient(clients(tls))), route));
    }

    private UpstreamConnections clients(Provider tls) {
        Assumptions.assumeTrue(tls == Provider.JDK || OpenSsl.isAvailable(), "no native TLS on this platform");
        return opened(new UpstreamConnections(
                identities, Duration.ZERO, Duration.ZERO, clock, meters, tls == Provider.OPENSSL));
    }

    private static Route route(RawUpstream upstream, String... ids) {
        return TestFront.route("orders", target("127.0.0.1", upstream.port(), ids));
    }

    private static Route route(RawUpstream upstream, String id, String host) {
        return TestFront.route("orders", target(host, upstream.port(), id));
    }

    private static UpstreamTarget target(String host, int port, String... ids) {
        return target(UpstreamProtocol.HTTP1, host, port, ids);
    }

    private static UpstreamTarget target(UpstreamProtocol protocol, String host, int port, String... ids) {
        return TestTarget.pinned(port, ids).at(host).over(protocol).build();
    }

    private void assertRefused(TestFront front, int status, Reason reason) throws Exception {
        var answer = get(front);
        assertThat(front.reasonOf(answer)).isEqualTo(reason);
        assertThat(answer.statusCode()).isEqualTo(status);
    }

    private double handshakes(String result) {
        return meters.get("sallyport.upstream.handshake")
                .tag("route", "orders")
                .tag("result", result)
                .counter()
                .count();
    }

    private HttpResponse<String> get(TestFront front) throws IOException, InterruptedException {
        return get(front, "/orders");
    }

    private HttpResponse<String> get(TestFront front, String path) throws IOException, InterruptedException {
        return browser.send(
                HttpRequest.newBuilder(URI.create(front.uri(path))).build(), HttpResponse.BodyHandlers.ofString());
    }

    private CompletableFuture<HttpResponse<String>> getLater(TestFront front) {
        return getLater(front, "/orders");
    }

    private CompletableFuture<HttpResponse<String>> getLater(TestFront front, String path) {
        return browser.sendAsync(
                HttpRequest.newBuilder(URI.create(front.uri(path))).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static Throwable failureOf(CompletableFuture<?> answer) throws InterruptedException, TimeoutException {
        try {
            answer.get(20, TimeUnit.SECONDS);
            return new AssertionError("it was answered");
        } catch (ExecutionException e) {
            return Objects.requireNonNull(e.getCause());
        }
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
