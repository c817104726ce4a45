// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ingress;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Outcome;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

/** Who is told of an outcome. */
class IngressTest {
    @Test
    void a_listener_that_throws_does_not_keep_an_outcome_from_the_next() {
        var told = new ArrayList<Outcome>();
        var ingress = Ingress.decide()
                .forward((_, _) -> {
                    throw new AssertionError("nothing is forwarded here");
                })
                .record(
                        (_, _) -> {
                            throw new IllegalStateException("bug");
                        },
                        (_, outcome) -> told.add(outcome));

        ingress.conclude(FakeRequest.get("/").context(), new Outcome.Answered(204));

        assertThat(told).containsExactly(new Outcome.Answered(204));
    }
}
