// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static io.sallyport.app.hostile.Attack.get;
import static io.sallyport.app.hostile.Attack.post;
import static io.sallyport.app.hostile.Http2Connection.DATA;
import static io.sallyport.app.hostile.Http2Connection.END_HEADERS;
import static io.sallyport.app.hostile.Http2Connection.END_STREAM;
import static io.sallyport.app.hostile.Http2Connection.HEADERS;
import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.Gateway;
import io.sallyport.app.demo.DemoDirectory;
import io.sallyport.app.demo.DemoParts;
import io.sallyport.app.demo.FreePort;
import io.sallyport.app.scenarios.RawConnection;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each byte a segment of its own, from the first of a PROXY header or a handshake to the last of a body: nothing on the way keeps
 * a byte back, or waits for one that has come already, and what arrives at the upstream is the same.
 */
@ParameterizedClass
@EnumSource(Way.class)
class BytesMayComeOneByOneIT {
    private static final String PROXY_V1 = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
    private static final String PROXY_V2 =
            "\r\n\r\n\0\r\nQUIT\n!\u0011\0\u000c\u00c0\0\u0002\u0007\u00c63d\u0001\u00dc\u0004\u0001\u00bb";

    private static final List<String> REQUESTS = List.of(
            get(),
            post("Content-Length: 5") + "hello",
            post("Expect: 100-continue", "Transfer-Encoding: chunked")
                    + "2;a=\"b\"\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n",
            get());

    private static final Duration READY_WITHIN = Duration.ofSeconds(30);

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    /** The same routes behind a load balancer that passes TCP on, without TLS. */
    private static BehindProxy behindProxy;

    @Parameter
    Way way;

    @BeforeAll
    static void start() throws IOException {
        behindProxy = new BehindProxy();
    }

    @AfterAll
    static void stop() throws IOException {
        behindProxy.close();
    }

    @Test
    void of_tls() throws Exception {
        try (var socket = new Dribbling(world.port());
                var connection = RawConnection.over(socket, world.tls(), world.port(), "http/1.1")) {
            requireEachAnswered(connection, world.upstream());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {PROXY_V1, PROXY_V2})
    void of_plaintext_behind_a_proxy_header(String header) throws Exception {
        try (var socket = new Dribbling(behindProxy.port);
                var connection = RawConnection.over(socket)) {
            requireEachAnswered(connection.write(header), behindProxy.upstream);
        }
    }

    private void requireEachAnswered(RawConnection connection, RecordingUpstream upstream) throws Exception {
        for (var request : REQUESTS) {
            int mark = upstream.mark();
            var target = world.target();
            connection.write(new Attack("", request).filledIn(target, way));

            var answer = connection.read();
            if (answer.status() == 100) {
                answer = connection.read();
            }
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.body()).isEqualTo(target);
            assertThat(upstream.since(mark)).hasSize(1).allMatch(RecordingUpstream.Message::isWhole);
            assertThat(upstream.since(mark).getFirst().content()).isEqualTo(request.startsWith("POST") ? "hello" : "");
        }
    }

    @Test
    void of_http2() throws Exception {
        int mark = world.upstream().mark();
        try (var socket = new Dribbling(world.port());
                var connection = Http2Connection.open(
                        RawConnection.over(socket, world.tls(), world.port(), "h2"), new byte[0])) {
            connection
                    .send(HEADERS, END_HEADERS, 1, head("POST"))
                    .send(DATA, 0, 1, "hel".getBytes(StandardCharsets.ISO_8859_1))
                    .send(DATA, END_STREAM, 1, "lo".getBytes(StandardCharsets.ISO_8859_1));
            assertThat(connection.outcomeOf(1)).isEqualTo("200");
            connection.send(HEADERS, END_HEADERS | END_STREAM, 3, head("GET"));
            assertThat(connection.outcomeOf(3)).isEqualTo("200");
        }

        assertThat(world.upstream().since(mark))
                .allMatch(RecordingUpstream.Message::isWhole)
                .extracting(RecordingUpstream.Message::content)
                .containsExactly("hello", "");
    }

    private byte[] head(String method) {
        return Http2Connection.block(
                ":method", method, ":scheme", "https", ":authority", way.host(), ":path", world.target());
    }

    /** Sends each byte by itself. */
    private static final class Dribbling extends Socket {
        // So that most of them are a read of their own on the other side too.
        private static final long PAUSE_NANOS = 100_000;

        Dribbling(int port) throws IOException {
            super(InetAddress.getLoopbackAddress(), port);
            setTcpNoDelay(true);
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            return new FilterOutputStream(super.getOutputStream()) {
                @Override
                public void write(byte[] bytes, int from, int length) throws IOException {
                    for (int i = from; i < from + length; i++) {
                        out.write(bytes[i]);
                        LockSupport.parkNanos(PAUSE_NANOS);
                    }
                }
            };
        }
    }

    private static final class BehindProxy implements AutoCloseable {
        private final DemoDirectory directory = DemoDirectory.create();
        private final int port = FreePort.find();
        private final DemoParts parts =
                DemoParts.start(directory.path(), DemoParts.Layout.onLoopback(port), InstantSource.system());
        private final RecordingUpstream upstream =
                RecordingUpstream.start(parts.svid(DemoParts.PAYMENTS_ID, Duration.ofDays(1)), parts.workloadRoot());
        private final Gateway gateway;

        private BehindProxy() throws IOException {
            var configuration = Files.readString(parts.configuration())
                    .replaceFirst(
                            "tls: \\{.*}",
                            "insecure-plaintext: true\n    proxy-protocol: required\n    trusted-proxies: [127.0.0.0/8]");
            Files.writeString(
                    parts.configuration(),
                    HostileWorld.withRoutes(configuration, parts.configuration(), upstream.port()));
            gateway = Gateway.start(parts.configuration());
            awaitReady();
        }

        private void awaitReady() throws IOException {
            var deadline = System.nanoTime() + READY_WITHIN.toNanos();
            while (statusOfFirst() != 200) {
                assertThat(System.nanoTime()).isLessThan(deadline);
            }
        }

        private int statusOfFirst() throws IOException {
            try (var connection = RawConnection.over(new Socket(InetAddress.getLoopbackAddress(), port))) {
                return connection
                        .write(PROXY_V1 + "GET /ready HTTP/1.1\r\nHost: " + Way.DIRECT.host() + "\r\n\r\n")
                        .read()
                        .status();
            }
        }

        @Override
        public void close() throws IOException {
            gateway.close();
            upstream.close();
            parts.close();
            directory.close();
        }
    }
}
