// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.sallyport.app.scenarios.StreamingWorld.Way;
import io.sallyport.decision.Reason;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** What a gateway that stops does with an answer that would not end by itself. On both ways forward. */
@ParameterizedClass
@EnumSource(Way.class)
class OpenStreamsEndWithTheGatewayIT {
    @RegisterExtension
    static final StreamingWorld world = new StreamingWorld();

    /** Far below shutdown-grace, which is for answers that are under way. */
    private static final Duration SOON = Duration.ofSeconds(5);

    private static final String EVENTS = """
            GET %s HTTP/1.1
            Host: localhost
            Authorization: Bearer %s

            """.replace("\n", "\r\n");

    @Parameter
    Way way;

    @Test
    void an_open_event_stream_ends_at_once_with_a_reason_of_its_own() throws Exception {
        var log = new ListAppender<ILoggingEvent>();
        log.start();
        root().addAppender(log);
        try (var client = world.connect()) {
            var answer = client.write(EVENTS.formatted(way.path("/events/live"), world.token()))
                    .readHead();
            assertThat(answer.status()).isEqualTo(200);

            var began = System.nanoTime();
            world.stop();
            var took = Duration.ofNanos(System.nanoTime() - began);
            try {
                // Between two events: what came is whole.
                assertThat(client.readToEnd()).contains("data: hello\n\n");
                assertThat(took).as("the stop").isLessThan(SOON);
                assertThat(world.recordOf(answer.field("X-Request-ID")).field("event.reason"))
                        .isNotNull()
                        .isNotEqualTo(Reason.FORWARD_FAILED.code());
                assertThat(log.list)
                        .filteredOn(event -> event.getLevel().isGreaterOrEqual(Level.ERROR))
                        .isEmpty();
            } finally {
                world.start();
            }
        } finally {
            root().detachAppender(log);
        }
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }
}
