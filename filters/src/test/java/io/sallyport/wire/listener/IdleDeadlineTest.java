// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.forward.Forwarder;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestForwarders;
import io.sallyport.wire.Http2Client;
import io.sallyport.wire.WireServer;
import io.sallyport.wire.tls.ClientCertificates;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Idle connections are closed; {@link ConnectionGateTest} has those that never asked. */
class IdleDeadlineTest {
    private static final Duration IDLE = Duration.ofSeconds(1);
    private static final Duration LONGER = Duration.ofMillis(2_500);
    private static final String GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private static final Forwarder SLOW = TestForwarders.answeringAfter(LONGER, "late");

    @TempDir
    private Path files;

    private static WireServer server() {
        return WireServer.permitting(SLOW).listening(listener -> listener.idleTimeout(IDLE));
    }

    @Test
    void a_connection_that_waits_for_its_answer_is_not_idle_and_is_when_it_has_it() throws Exception {
        try (var server = server().start();
                var client = server.connect().send(GET)) {
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 200 ").endsWith("late");
            assertThat(client.send(GET).readAnswer()).endsWith("late");

            assertThat(client.readToEnd()).isEmpty();
        }
    }

    @Test
    void a_connection_of_http2_with_a_stream_is_not_idle_and_is_without() throws Exception {
        try (var server = server().tls(tls()).start();
                var client = Http2Client.connect(server.port(), "localhost")) {
            var stream = client.request("GET", "localhost", true);
            assertThat(stream.next()).startsWith("HEADERS 200");
            assertThat(stream.next()).startsWith("DATA late");

            assertThat(client.isEndedByServer()).isTrue();
        }
    }

    private ListenerConfig.Tls tls() {
        var tls = new ListenerConfig.Tls(
                files.resolve("tls.crt"), files.resolve("tls.key"), List.of(), ClientCertificates.NONE);
        TestCa.of("servers.test").issue(new TestCa.Leaf().dnsName("localhost")).writeTo(tls.certificate(), tls.key());
        return tls;
    }
}
