// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static io.sallyport.app.hostile.Http2Connection.DATA;
import static io.sallyport.app.hostile.Http2Connection.END_HEADERS;
import static io.sallyport.app.hostile.Http2Connection.HEADERS;
import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.scenarios.RawConnection;
import java.io.IOException;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** An upstream that has read no more than the head of a large upload answers it, and ends its connection. */
@ParameterizedClass
@EnumSource(Way.class)
class AnEarlyAnswerIsNeverLostIT {
    private static final int TIMES = 48;
    private static final byte[] BODY = new byte[8 * 1024 * 1024];
    private static final String TOO_LARGE =
            "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 5\r\n\r\nlarge";

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    @RepeatedTest(TIMES)
    void over_http_1_1_where_the_client_waits_to_be_asked_for_its_body() throws Exception {
        var target = refused();
        try (var connection = world.connect()) {
            connection.write("POST %s HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
                    .formatted(target, way.host(), BODY.length));
            var first = connection.readHead();
            if (first.status() == 100) {
                upload(connection);
                assertRefused(connection.read());
            } else {
                assertThat(first.status()).isEqualTo(413);
            }
        }
    }

    @Test
    void over_http_1_1_where_it_does_not() throws Exception {
        for (int i = 0; i < TIMES; i++) {
            var target = refused();
            try (var connection = world.connect()) {
                connection.write("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n"
                        .formatted(target, way.host(), BODY.length));
                upload(connection);
                assertRefused(connection.read());
            }
        }
    }

    @Test
    void over_http_2() throws Exception {
        for (int i = 0; i < TIMES; i++) {
            var target = refused();
            try (var connection = Http2Connection.open(world)) {
                connection.send(
                        HEADERS,
                        END_HEADERS,
                        1,
                        Http2Connection.block(
                                ":method",
                                "POST",
                                ":scheme",
                                "https",
                                ":authority",
                                way.host(),
                                ":path",
                                target,
                                "expect",
                                "100-continue",
                                "content-length",
                                Integer.toString(BODY.length)));
                for (int frames = 0; frames < 3; frames++) {
                    connection.send(DATA, 0, 1, new byte[16_384]);
                }
                var outcome = connection.outcomeOf(1);
                assertThat(outcome.equals("100") ? connection.outcomeOf(1) : outcome)
                        .isEqualTo("413");
            }
        }
    }

    private static String refused() {
        var target = world.target();
        world.upstream().answer(target, new RecordingUpstream.Answer(TOO_LARGE, true, true));
        return target;
    }

    private static void upload(RawConnection connection) {
        Thread.ofVirtual().start(() -> {
            try {
                connection.write(BODY);
            } catch (IOException _) {
                // It is not wanted.
            }
        });
    }

    private static void assertRefused(RawConnection.Response response) {
        assertThat(response.status()).isEqualTo(413);
        assertThat(response.body()).isEqualTo("large");
        assertThat(response.field("connection")).isEqualTo("close");
    }
}
