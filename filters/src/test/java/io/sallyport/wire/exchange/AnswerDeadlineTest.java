// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2Settings;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.ClientExchange;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.TestBody;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestForwarders;
import io.sallyport.pipeline.Outcome;
import io.sallyport.wire.Http2Client;
import io.sallyport.wire.InsecureTls;
import io.sallyport.wire.RawClient;
import io.sallyport.wire.WireServer;
import io.sallyport.wire.listener.ListenerConfig;
import io.sallyport.wire.tls.ClientCertificates;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Slow read, after slowhttptest's (Sergey Shekyan, 2012): a client that asks for an answer and does not take it. */
class AnswerDeadlineTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private static final Duration SHORT = Duration.ofMillis(300);
    private static final int CHUNK = 16_384;

    private final CountDownLatch upstreamLetGo = new CountDownLatch(1);

    @TempDir
    private Path files;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void an_answer_that_nobody_reads_is_broken_off_and_the_upstream_let_go(boolean overTls) throws Exception {
        try (var server = answering(endless(), SHORT, overTls).start();
                var client = overTls ? overTls(server) : server.connect()) {
            client.send(GET);

            assertThat(server.outcome())
                    .isEqualTo(new Outcome.Aborted(200, new Denial.Rejected(Reason.EDGE_ANSWER_TIMEOUT)));
            assertThat(upstreamLetGo.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_byte_now_and_then_is_no_progress() throws Exception {
        var done = new AtomicBoolean();
        try (var server = answering(endless(), SHORT, false).start();
                var client = server.connect().send(GET)) {
            var reader = Thread.ofVirtual().start(() -> {
                while (!done.get()) {
                    client.readByteIfAny();
                }
            });

            assertThat(server.outcome())
                    .isEqualTo(new Outcome.Aborted(200, new Denial.Rejected(Reason.EDGE_ANSWER_TIMEOUT)));
            done.set(true);
            reader.join();
        }
    }

    @Test
    void a_client_that_takes_its_answer_piece_by_piece_is_left_in_peace() throws Exception {
        try (var server = answering(endless(), Duration.ofSeconds(1), false).start();
                var client = server.connect().send(GET)) {
            for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(2); System.nanoTime() < end; ) {
                client.skip(CHUNK);
            }

            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    /** CVE-2019-9517 and its relatives: the connection would take more, the stream's window is closed. */
    @Test
    void a_stream_whose_window_stays_closed_is_reset_and_its_connection_serves_on() throws Exception {
        try (var server = answering(
                                TestForwarders.streaming(
                                        200,
                                        new TestBody(
                                                body -> body.part(bytes(100)).end())),
                                SHORT,
                                true)
                        .start();
                var client = Http2Client.connect(
                        server.port(),
                        "localhost",
                        Http2Settings.defaultSettings().initialWindowSize(0))) {
            var stream = client.request("GET", "localhost", true);
            assertThat(stream.next()).startsWith("HEADERS 200");
            assertThat(stream.next()).isEqualTo("RESET INTERNAL_ERROR");

            assertThat(server.outcome())
                    .isEqualTo(new Outcome.Aborted(200, new Denial.Rejected(Reason.EDGE_ANSWER_TIMEOUT)));
            assertThat(client.isConnected()).isTrue();
            assertThat(client.request("GET", "localhost", true).next()).startsWith("HEADERS 200");
        }
    }

    @Test
    void an_upstream_that_is_slow_is_not_the_clients_fault() throws Exception {
        Forwarder slow = (permit, client) -> {
            var late = new TestBody(body -> {
                body.part(bytes(5));
                var _ = client.eventLoop().schedule(() -> body.part(bytes(5)).end(), 1, TimeUnit.SECONDS);
            });
            TestForwarders.streaming(200, late).forward(permit, client);
        };
        try (var server = answering(slow, SHORT, false).start();
                var client = server.connect().send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) {
            assertThat(client.readToEnd())
                    .startsWith("HTTP/1.1 200 ")
                    .endsWith("\r\n5\r\nxxxxx\r\n5\r\nxxxxx\r\n0\r\n\r\n");
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
        }
    }

    private Forwarder endless() {
        return (permit, client) -> {
            var body = new TestBody(taken -> more(taken, client));
            TestForwarders.streaming(200, body).forward(permit, client);
            client.onLeave(() -> {
                body.discard();
                upstreamLetGo.countDown();
            });
        };
    }

    private static void more(TestBody body, ClientExchange client) {
        for (int i = 0; i < 64 && body.isWanted(); i++) {
            body.part(bytes(CHUNK));
        }
        if (!body.isDiscarded()) {
            var _ = client.eventLoop().schedule(() -> more(body, client), 1, TimeUnit.MILLISECONDS);
        }
    }

    private static ByteBuf bytes(int count) {
        return Unpooled.copiedBuffer("x".repeat(count), java.nio.charset.StandardCharsets.US_ASCII);
    }

    private WireServer answering(Forwarder forwarder, Duration timeout, boolean overTls) {
        var server = WireServer.permitting(forwarder).listening(listener -> listener.answerTimeout(timeout));
        return overTls ? server.tls(tls()) : server;
    }

    private ListenerConfig.Tls tls() {
        var tls = new ListenerConfig.Tls(
                files.resolve("tls.crt"), files.resolve("tls.key"), List.of(), ClientCertificates.NONE);
        TestCa.of("servers.test").issue(new TestCa.Leaf().dnsName("localhost")).writeTo(tls.certificate(), tls.key());
        return tls;
    }

    private static RawClient overTls(WireServer server) throws Exception {
        return new RawClient(InsecureTls.trustingAll()
                .getSocketFactory()
                .createSocket(java.net.InetAddress.getLoopbackAddress(), server.port()));
    }
}
