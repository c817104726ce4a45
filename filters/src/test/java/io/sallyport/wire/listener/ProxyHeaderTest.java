// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.TestCa;
import io.sallyport.wire.InsecureTls;
import io.sallyport.wire.RawClient;
import io.sallyport.wire.WireServer;
import io.sallyport.wire.tls.ClientCertificates;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** The PROXY protocol, versions 1 and 2, by the specification of HAProxy (2020-03-05): whose address a request has, and who gets none. */
@ExtendWith(OutputCaptureExtension.class)
class ProxyHeaderTest {
    private static final Denial DENIED = new Denial.Forbidden(Reason.AUTHORIZE_NO_RULE_ALLOWED);
    private static final String GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";

    @TempDir
    private Path files;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 | 192.0.2.7",
                "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535 | 255.255.255.255",
                "PROXY TCP6 2001:db8::7 2001:db8::1 4124 443 | 2001:db8::7",
                "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535 "
                        + "| ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            })
    void the_client_is_whom_a_line_of_version_1_names(String line, String client) throws Exception {
        assertClient((line + "\r\n").getBytes(StandardCharsets.ISO_8859_1), client);
    }

    @ParameterizedTest
    @CsvSource({
        // version and command, family and protocol, length, addresses, ports, extensions
        "21 11 000c c0000207c6336401dc0401bb, 192.0.2.7",
        "21 21 0024 20010db800000000000000000000000720010db8000000000000000000000001dc0401bb, 2001:db8::7",
        "21 11 0015 c0000207c6336401dc0401bb 02 0006 6d792e6c6f63, 192.0.2.7",
        "21 11 0013 c0000207c6336401dc0401bb 04 0004 00000000, 192.0.2.7",
    })
    void the_client_is_whom_a_block_of_version_2_names(String block, String client) throws Exception {
        assertClient(version2(block), client);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PROXY UNKNOWN\r\n",
                "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
            })
    void a_client_that_the_proxy_cannot_name_is_the_proxy(String line) throws Exception {
        assertClient(line.getBytes(StandardCharsets.ISO_8859_1), "127.0.0.1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"20 00 0000", "20 11 000c c0000207c6336401dc0401bb", "21 00 0000"})
    void a_health_check_of_the_proxy_is_the_proxys(String block) throws Exception {
        assertClient(version2(block), "127.0.0.1");
    }

    @Test
    void a_header_may_come_byte_by_byte() throws Exception {
        try (var server = required("127.0.0.0/8").start();
                var client = server.connect()) {
            var header = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
            for (int i = 0; i < header.length(); i++) {
                client.send(header.substring(i, i + 1));
            }

            assertThat(client.send(GET).readAnswer()).startsWith("HTTP/1.1 403 ");
            assertThat(peerOf(server)).isEqualTo("192.0.2.7");
        }
    }

    /** What ends the header ends a read as well, or has a piece of the request behind it. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 17, 35})
    void the_request_may_come_when_the_header_has_been_read(int withHeader) throws Exception {
        try (var server = required("127.0.0.0/8").start();
                var client = server.connect()) {
            client.send("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n" + GET.substring(0, withHeader));
            awaitOneAccepted(server);

            if (withHeader < GET.length()) {
                client.send(GET.substring(withHeader));
            }
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 403 ");
            assertThat(client.send(GET).readAnswer()).startsWith("HTTP/1.1 403 ");
        }
    }

    @Test
    void a_connection_counts_as_its_clients() throws Exception {
        try (var server = required("127.0.0.0/8").start();
                var client = server.connect()) {
            client.send("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n" + GET).readAnswer();

            assertThat(server.connections.last).isEqualTo("192.0.2.7");
        }
    }

    @Test
    void tls_begins_behind_the_header() throws Exception {
        var tls = certificate(ClientCertificates.NONE);
        try (var server = required("127.0.0.0/8").tls(tls).start();
                var plain = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            plain.getOutputStream().write(version2("21 11 000c c0000207c6336401dc0401bb"));
            try (var socket = (SSLSocket) InsecureTls.trustingAll()
                    .getSocketFactory()
                    .createSocket(plain, "localhost", server.port(), true)) {
                socket.startHandshake();

                assertThat(new RawClient(socket).send(GET).readAnswer()).startsWith("HTTP/1.1 403 ");
                assertThat(peerOf(server)).isEqualTo("192.0.2.7");
            }
        }
    }

    @Test
    void a_certificate_that_is_refused_is_logged_as_that_of_the_client_behind_the_proxy(CapturedOutput output)
            throws Exception {
        var tls = certificate(ClientCertificates.REQUIRED);
        try (var server = required("127.0.0.0/8").tls(tls).start();
                var plain = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            plain.getOutputStream().write(version2("21 11 000c c0000207c6336401dc0401bb"));
            try (var socket = (SSLSocket)
                    InternalListenerTest.tls(TestCa.of("example.org").issue("/ns/batch/sa/export"))
                            .getSocketFactory()
                            .createSocket(plain, "localhost", server.port(), true)) {
                assertThatThrownBy(() -> new RawClient(socket).send(GET).readAnswer())
                        .isInstanceOf(IOException.class);
            }
            InternalListenerTest.until(() -> output.getOut().contains("was refused"));
        }

        assertThat(output.getOut().lines().filter(line -> line.contains("a client's certificate was refused")))
                .singleElement()
                .asString()
                .contains("/192.0.2.7:56324");
    }

    private ListenerConfig.Tls certificate(ClientCertificates clients) {
        var tls = new ListenerConfig.Tls(files.resolve("tls.crt"), files.resolve("tls.key"), List.of(), clients);
        TestCa.of("servers.test").issue(new TestCa.Leaf().dnsName("localhost")).writeTo(tls.certificate(), tls.key());
        return tls;
    }

    static Stream<byte[]> notHeaders() {
        return Stream.concat(
                Stream.of(
                                GET,
                                "PROXY\r\n" + GET,
                                "PROXY TCP4\r\n" + GET,
                                "proxy TCP4 192.0.2.7 198.51.100.1 56324 443\r\n" + GET,
                                "PROXY TCP5 192.0.2.7 198.51.100.1 56324 443\r\n" + GET,
                                "PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n" + GET,
                                "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 1\r\n" + GET,
                                "PROXY TCP4 192.0.2.256 198.51.100.1 56324 443\r\n" + GET,
                                "PROXY TCP4 2001:db8::7 2001:db8::1 56324 443\r\n" + GET,
                                "PROXY TCP6 192.0.2.7 198.51.100.1 56324 443\r\n" + GET,
                                "PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n" + GET,
                                "PROXY TCP4 192.0.2.7 198.51.100.1 -1 443\r\n" + GET,
                                "PROXY TCP4 localhost localhost 1 2\r\n" + GET,
                                "PROXY  TCP4 192.0.2.7 198.51.100.1 56324 443\r\n" + GET,
                                " PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n" + GET,
                                "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\n" + "x".repeat(200),
                                "PROXY UNKNOWN " + "x".repeat(200) + "\r\n" + GET)
                        .map(text -> text.getBytes(StandardCharsets.ISO_8859_1)),
                Stream.of(
                                "11 11 000c c0000207c6336401dc0401bb", // version 1 in the block of version 2
                                "31 11 000c c0000207c6336401dc0401bb",
                                "2f 11 000c c0000207c6336401dc0401bb",
                                "21 1f 000c c0000207c6336401dc0401bb",
                                "21 41 000c c0000207c6336401dc0401bb",
                                "21 11 000b c0000207c6336401dc0401", // too short for two addresses
                                "21 12 000c c0000207c6336401dc0401bb", // UDP
                                "21 31 00d8 " + "2f".repeat(216), // a Unix socket's
                                "21 11 ffff c0000207c6336401dc0401bb" + "00".repeat(3_000),
                                "21 11 0012 c0000207c6336401dc0401bb 02 ffff 616263")
                        .map(ProxyHeaderTest::version2));
    }

    @ParameterizedTest
    @MethodSource("notHeaders")
    void a_connection_without_a_good_header_ends_without_an_answer(byte[] bytes) throws Exception {
        try (var server = required("127.0.0.0/8")
                        .requestTimeout(Duration.ofMillis(500))
                        .start();
                var socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(10_000);
            try {
                socket.getOutputStream().write(bytes);
                assertThat(socket.getInputStream().read()).isNegative();
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("reset");
            }

            awaitOneRefused(server);
            assertThat(server.hasAnotherOutcome()).isFalse();
            assertThat(server.connections.accepted).hasValue(0);
        }
    }

    @Test
    void a_header_that_does_not_come_ends_the_connection() throws Exception {
        try (var server = required("127.0.0.0/8")
                        .requestTimeout(Duration.ofMillis(100))
                        .start();
                var client = server.connect().send("PROXY TCP4 192")) {
            assertThatThrownBy(client::readHead).isInstanceOf(IOException.class);
            assertThat(refused(server, "proxy_header")).isOne();
        }
    }

    @Test
    void who_is_no_trusted_proxy_gets_no_connection_whatever_it_says() throws Exception {
        try (var server = required("192.0.2.0/24").start();
                var socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(10_000);
            try {
                socket.getOutputStream()
                        .write("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\n".getBytes(StandardCharsets.US_ASCII));
                assertThat(socket.getInputStream().read()).isNegative();
            } catch (IOException e) {
                assertThat(e.getMessage()).containsAnyOf("reset", "Broken pipe");
            }
            assertThat(refused(server, "proxy_untrusted")).isOne();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", "\r\n\r\n\0\r\nQUIT\n!\21\0\14"})
    void where_it_is_refused_a_header_is_no_request(String header) throws Exception {
        try (var server = WireServer.denying(DENIED).start();
                var client = server.connect().send(header + GET)) {
            assertThat(client.readToEnd()).startsWith("HTTP/1.1 400 ");
            assertThat(peerOf(server)).isEqualTo("127.0.0.1");
        }
    }

    private static void assertClient(byte[] header, String client) throws Exception {
        var bytes = new ByteArrayOutputStream();
        bytes.write(header);
        bytes.write(GET.getBytes(StandardCharsets.ISO_8859_1));
        try (var server = required("127.0.0.0/8").start();
                var connection = server.connect().send(bytes.toString(StandardCharsets.ISO_8859_1))) {
            assertThat(connection.readAnswer()).startsWith("HTTP/1.1 403 ");
            assertThat(peerOf(server)).isEqualTo(InetAddress.ofLiteral(client).getHostAddress());
            assertThat(connection.send(GET).readAnswer()).startsWith("HTTP/1.1 403 ");
            assertThat(peerOf(server))
                    .as("the next request's")
                    .isEqualTo(InetAddress.ofLiteral(client).getHostAddress());
        }
    }

    private static @Nullable String peerOf(WireServer server) throws InterruptedException {
        return server.ended().context().head().peerAddress().getAddress().getHostAddress();
    }

    private static WireServer required(String proxies) {
        return WireServer.denying(DENIED)
                .listening(listener ->
                        listener.proxyProtocol(ProxyProtocol.REQUIRED).trustedProxies(proxies));
    }

    private static byte[] version2(String block) {
        return HexFormat.of().parseHex(SIGNATURE + block.replace(" ", ""));
    }

    /** The decoder closes the connection, and says so afterwards. */
    private static void awaitOneRefused(WireServer server) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (refused(server, "proxy_header") < 1 && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertThat(refused(server, "proxy_header")).isOne();
    }

    private static void awaitOneAccepted(WireServer server) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (server.connections.accepted.get() < 1 && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertThat(server.connections.accepted).hasValue(1);
    }

    private static double refused(WireServer server, String cause) {
        return server.meters
                .get("sallyport.connections.refused")
                .tag("cause", cause)
                .counter()
                .count();
    }
}
