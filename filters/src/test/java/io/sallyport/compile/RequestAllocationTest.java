// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.RequestHead;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;

/**
 * What judging one request allocates, from its head to the permit or the denial, with every stage on. The bytes are exact,
 * because this runs in a JVM without the compiler that optimises allocations away: whoever allocates one object more has to
 * raise a number here and say why.
 */
final class RequestAllocationTest {
    private static final int PERMITTED = 2_144;
    private static final int NO_TOKEN = 616;
    private static final int REMEMBERED_REFUSAL = 1_232;

    private static final int SAMPLES = 21;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir
    private Path folder;

    @SuppressWarnings("NullAway.Init") // before each test
    private JudgedRequests requests;

    @BeforeEach
    void build() throws IOException {
        requests = new JudgedRequests(folder);
    }

    @Test
    void a_permitted_request_whose_token_was_seen_before_allocates_what_it_always_did() {
        var head = JudgedRequests.head(JudgedRequests.goodToken());

        assertThat(requests.judge(head)).isInstanceOf(Admission.Permitted.class);
        assertThat(bytesOf(head)).isEqualTo(PERMITTED);
    }

    @Test
    void a_request_without_a_token_allocates_what_it_always_did() {
        var head = JudgedRequests.head(null);

        assertRefused(head, Reason.AUTHENTICATE_JWT_MISSING);
        assertThat(bytesOf(head)).isEqualTo(NO_TOKEN);
    }

    @Test
    void a_token_that_was_refused_before_is_refused_from_memory_and_allocates_what_it_always_did() {
        var head = JudgedRequests.head(JudgedRequests.forgedToken());

        assertRefused(head, Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID);
        assertThat(bytesOf(head)).isEqualTo(REMEMBERED_REFUSAL);
    }

    @Test
    void no_reactive_operator_is_made_before_the_permit() {
        var operators = new AtomicInteger();
        Hooks.onEachOperator("count", operator -> {
            operators.incrementAndGet();
            return operator;
        });
        try {
            requests.judge(JudgedRequests.head(JudgedRequests.goodToken()));
            requests.judge(JudgedRequests.head(null));
            assertThat(operators).hasValue(0);

            var _ = Mono.just(1).map(i -> i);
            assertThat(operators).as("the hook counts").hasPositiveValue();
        } finally {
            Hooks.resetOnEachOperator("count");
        }
    }

    private void assertRefused(RequestHead head, Reason reason) {
        assertThat(requests.judge(head))
                .isInstanceOfSatisfying(
                        Admission.Refused.class,
                        refused -> assertThat(refused.denial())
                                .extracting(Denial::reason)
                                .isEqualTo(reason));
    }

    // The first ones load classes and fill caches; a table may grow at any of them, which the median does not see.
    private long bytesOf(RequestHead head) {
        var bytes = new long[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            requests.judge(head);
            bytes[i] = THREADS.getCurrentThreadAllocatedBytes() - before;
        }
        Arrays.sort(bytes);
        return bytes[SAMPLES / 2];
    }
}
