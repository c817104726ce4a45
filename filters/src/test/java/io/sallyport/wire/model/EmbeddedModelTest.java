// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sequences of requests on an {@link EmbeddedConnection} against {@link ConnectionModel}. The long run: {@code
 * -Dsallyport.model.embedded=1000000}; one run again: {@code -Dsallyport.model.seed}.
 */
class EmbeddedModelTest {
    private static final int SEQUENCES = Integer.getInteger("sallyport.model.embedded", 2_000);
    private static final int REQUESTS = Integer.getInteger("sallyport.model.requests", 30);
    private static final int THREADS = Integer.getInteger("sallyport.model.threads", 1);
    private static final int ORDERS = 20;

    static Stream<Arguments> sequencesThatHaveFailed() {
        return FailedSequences.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("sequencesThatHaveFailed")
    void a_sequence_that_has_failed_does_not_fail(String name, Sequence sequence) {
        var player = new Player();
        for (int order = 0; order < ORDERS; order++) {
            assertThat(player.violationOf(sequence, order)).as(name).isNull();
        }
    }

    static Stream<Long> seeds() {
        return RandomSequences.seeds();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void random_sequences_go_as_the_model_says(long seed) throws Exception {
        new RandomSequences(each -> Sequences.embedded(each, REQUESTS), Player::new).run(seed, SEQUENCES, THREADS);
    }

    private static final class Player implements RandomSequences.Player {
        private EmbeddedGateway gateway = new EmbeddedGateway();

        @Override
        public @Nullable String violationOf(Sequence sequence, long seed) {
            var run = gateway.runs.begin(sequence);
            try {
                EmbeddedClient.play(gateway, run, seed);
                gateway.runs.forget(run);
                return null;
            } catch (Violation violation) {
                // In which something may be left that was under way.
                gateway = new EmbeddedGateway();
                return violation.getMessage();
            }
        }
    }
}
