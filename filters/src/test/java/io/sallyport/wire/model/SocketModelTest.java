// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sequences of requests over sockets, on both ways forward, against {@link ConnectionModel}. The long run: {@code
 * -Dsallyport.model.sequences=5000 -Dsallyport.model.requests=300}; one run again: {@code -Dsallyport.model.seed}.
 */
class SocketModelTest {
    private static final int SEQUENCES = Integer.getInteger("sallyport.model.sequences", 120);
    private static final int REQUESTS = Integer.getInteger("sallyport.model.requests", 20);

    /** How long nothing may come on a busy machine. */
    private static final Duration PATIENCE = Duration.ofMillis(Integer.getInteger("sallyport.model.patience", 10_000));

    private static final Duration SETTLING = Duration.ofMillis(20);
    private static final int AT_A_TIME = 16;

    private static SocketGateway gateway;

    @BeforeAll
    static void start() {
        gateway = new SocketGateway();
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    static Stream<Arguments> sequencesThatHaveFailed() {
        return FailedSequences.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("sequencesThatHaveFailed")
    void a_sequence_that_has_failed_does_not_fail(String name, Sequence sequence) {
        assertThat(violationOf(sequence)).as(name).isNull();
    }

    static Stream<Long> seeds() {
        return RandomSequences.seeds();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void random_sequences_go_as_the_model_says(long seed) throws Exception {
        new RandomSequences(each -> Sequences.overSockets(each, REQUESTS), () -> (sequence, _) -> violationOf(sequence))
                .run(seed, SEQUENCES, AT_A_TIME);
    }

    private static @Nullable String violationOf(Sequence sequence) {
        var run = gateway.runs.begin(sequence);
        try {
            var client = SocketClient.play(gateway, run, PATIENCE);
            Thread.sleep(SETTLING);
            // Nothing may have come later, to the upstream or the record.
            client.checkAgain();
            return null;
        } catch (Violation violation) {
            return violation.getMessage();
        } catch (IOException e) {
            return "no connection: " + e;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return "interrupted";
        } finally {
            gateway.runs.forget(run);
        }
    }
}
