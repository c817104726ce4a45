// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.scenarios.StreamingWorld.Way;
import io.sallyport.decision.Reason;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Server-sent events through the gateway. On both ways forward, and over both versions of HTTP. */
@ParameterizedClass
@EnumSource(Way.class)
class EventStreamIT {
    @RegisterExtension
    static final StreamingWorld world = new StreamingWorld();

    @Parameter
    Way way;

    @Test
    void an_event_arrives_when_it_is_sent_and_not_with_the_next_one() throws Exception {
        for (var version : HttpClient.Version.values()) {
            try (var events = listen("/events/live", world.token(), version).body()) {
                var lines = lines(events);
                assertThat(lines.readLine()).isEqualTo("data: hello");
                assertThat(lines.readLine()).isEmpty();

                for (var event : new String[] {"one", "two"}) {
                    world.upstream().publish(event);
                    assertThat(lines.readLine()).isEqualTo("data: " + event);
                    assertThat(lines.readLine()).isEmpty();
                }
            }
            // The client has left, and the upstream is told so.
            world.upstream().awaitOneLeft();
        }
    }

    @Test
    void the_listeners_timeouts_do_not_end_one_that_is_silent_for_longer() throws Exception {
        var events = listen("/events/slow", world.token(), HttpClient.Version.HTTP_1_1);

        assertThat(events.body()).hasContent("data: hello\n\ndata: late\n\n");
    }

    @Test
    void it_ends_between_two_events_when_the_token_expires() throws Exception {
        for (var version : HttpClient.Version.values()) {
            var events = listen("/events/live", world.tokenFor(Duration.ofSeconds(3)), version);

            assertThat(events.body()).hasContent("data: hello\n\n");
            assertThat(world.recordOf(
                                    events.headers().firstValue("X-Request-ID").orElseThrow())
                            .field("event.reason"))
                    .isEqualTo(Reason.FORWARD_STREAM_OVER.code());
            world.upstream().awaitOneLeft();
        }
    }

    private HttpResponse<InputStream> listen(String path, String token, HttpClient.Version version) throws Exception {
        var response = world.http()
                .send(
                        HttpRequest.newBuilder(world.http(way, path))
                                .version(version)
                                .header("Authorization", "Bearer " + token)
                                .build(),
                        HttpResponse.BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.version()).isEqualTo(version);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream");
        return response;
    }

    private static BufferedReader lines(InputStream events) {
        return new BufferedReader(new InputStreamReader(events, UTF_8));
    }
}
