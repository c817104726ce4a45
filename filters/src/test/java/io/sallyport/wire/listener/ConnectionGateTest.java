// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.TestCa;
import io.sallyport.wire.RawClient;
import io.sallyport.wire.WireServer;
import io.sallyport.wire.tls.ClientCertificates;
import java.io.IOException;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many connections are held, and for how long they may say nothing. */
class ConnectionGateTest {
    private static final Denial DENIED = new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED);
    private static final String GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    @TempDir
    private Path files;

    @Test
    void one_connection_more_than_there_may_be_is_reset_and_counted_and_there_is_room_again_when_one_ends()
            throws Exception {
        try (var server = WireServer.denying(DENIED).maxConnections(2).start();
                var first = server.connect().send(GET);
                var second = server.connect().send(GET)) {
            first.readAnswer();
            second.readAnswer();

            assertEnded(server.connect());
            assertThat(refused(server, "total")).isOne();
            assertThat(first.send(GET).readAnswer()).startsWith("HTTP/1.1 403 ");

            first.reset();
            assertThat(answerOnceThereIsRoom(server)).startsWith("HTTP/1.1 403 ");
        }
    }

    @Test
    void one_connection_more_than_an_address_may_hold_is_reset_and_counted() throws Exception {
        try (var server = WireServer.denying(DENIED)
                        .listening(listener -> listener.maxConnectionsPerAddress(1))
                        .start();
                var first = server.connect().send(GET)) {
            first.readAnswer();

            assertEnded(server.connect());
            assertThat(refused(server, "address")).isOne();
            assertThat(server.connections.accepted)
                    .as("it was counted, and is gone")
                    .hasValue(2);
        }
    }

    @Test
    void a_trusted_proxy_may_hold_more_than_an_address() throws Exception {
        try (var server = WireServer.denying(DENIED)
                        .listening(
                                listener -> listener.maxConnectionsPerAddress(1).trustedProxies("127.0.0.0/8"))
                        .start();
                var first = server.connect().send(GET);
                var second = server.connect().send(GET)) {
            assertThat(first.readAnswer()).startsWith("HTTP/1.1 403 ");
            assertThat(second.readAnswer()).startsWith("HTTP/1.1 403 ");
        }
    }

    @Test
    void behind_a_proxy_that_names_its_clients_each_of_them_is_an_address() throws Exception {
        try (var server = WireServer.denying(DENIED)
                        .listening(listener -> listener.maxConnectionsPerAddress(1)
                                .trustedProxies("127.0.0.0/8")
                                .proxyProtocol(ProxyProtocol.REQUIRED))
                        .start();
                var client = server.connect().send("PROXY TCP4 127.0.0.9 127.0.0.1 1 2\r\n" + GET)) {
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 403 ");
            try (var another = server.connect().send("PROXY TCP4 127.0.0.9 127.0.0.1 3 4\r\n" + GET)) {
                assertEnded(another);
            }
            assertThat(refused(server, "address")).isOne();
        }
    }

    @Test
    void the_gauge_says_how_many_are_open() throws Exception {
        try (var server = WireServer.denying(DENIED).start();
                var client = server.connect().send(GET)) {
            client.readAnswer();

            assertThat(server.meters.get("sallyport.connections.open").gauge().value())
                    .isOne();
        }
    }

    @Test
    void a_tls_handshake_that_does_not_come_or_does_not_end_is_given_up_and_counted() throws Exception {
        try (var server = WireServer.denying(DENIED)
                        .tls(tls())
                        .requestTimeout(Duration.ofMillis(200))
                        .start();
                var silent = server.connect();
                // The first bytes of a record that says it has 512.
                var begun = server.connect().send("\26\3\1\2\0\1")) {
            assertEnded(silent);
            assertEnded(begun);
            assertThat(refused(server, "handshake_timeout")).isEqualTo(2);
        }
    }

    @Test
    void a_connection_without_a_request_is_closed_when_it_has_been_idle() throws Exception {
        try (var server = WireServer.denying(DENIED)
                        .listening(listener -> listener.idleTimeout(Duration.ofSeconds(1)))
                        .start();
                var silent = server.connect();
                var asked = server.connect().send(GET)) {
            asked.readAnswer();

            assertEnded(silent);
            assertEnded(asked);
        }
    }

    private static String answerOnceThereIsRoom(WireServer server) throws IOException {
        // The end of a connection is heard of on its own event loop.
        for (int i = 0; ; i++) {
            try (var client = server.connect().send(GET)) {
                return client.readAnswer();
            } catch (IOException e) {
                if (i == 100) {
                    throw e;
                }
            }
        }
    }

    private static void assertEnded(RawClient client) {
        try {
            assertThat(client.readToEnd()).isEmpty();
        } catch (IOException e) {
            assertThat(e).isInstanceOf(SocketException.class);
        }
    }

    private ListenerConfig.Tls tls() {
        var tls = new ListenerConfig.Tls(
                files.resolve("tls.crt"), files.resolve("tls.key"), List.of(), ClientCertificates.NONE);
        TestCa.of("servers.test").issue(new TestCa.Leaf().dnsName("localhost")).writeTo(tls.certificate(), tls.key());
        return tls;
    }

    private static double refused(WireServer server, String cause) {
        return server.meters
                .get("sallyport.connections.refused")
                .tag("cause", cause)
                .counter()
                .count();
    }
}
