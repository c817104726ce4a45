// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.sallyport.app.demo.DemoCase;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;

/** What strangers can make the process log: the levels are those of the logback.xml that it is shipped with. */
class LogIT {
    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.shared();

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void listen() {
        log.start();
        root().addAppender(log);
    }

    @AfterEach
    void stopListening() {
        root().detachAppender(log);
    }

    @Test
    void who_does_not_speak_tls_leaves_no_line_on_either_port() throws Exception {
        for (var port : List.of(
                gateway.session().gateway().port(), gateway.session().gateway().managementPort())) {
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout(15_000);
                socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                readToEnd(socket);
            }
        }

        assertThat(log.list).isEmpty();
    }

    @Test
    void a_refusal_leaves_a_record_and_no_line() throws Exception {
        gateway.recordOf(gateway.get(gateway.ingress(DemoCase.NO_TOKEN.path())));

        assertThat(log.list).isEmpty();
    }

    private static void readToEnd(Socket socket) throws IOException {
        socket.getInputStream().transferTo(OutputStream.nullOutputStream());
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }
}
