// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.UpstreamClient;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.forward.upstream.UpstreamConnections;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.springframework.mock.http.server.reactive.MockServerHttpRequest;
import org.springframework.mock.web.server.MockServerWebExchange;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** The last filter on its own: what it does for a request that came to it some other way than through the pipeline. */
class PinnedRoutingFilterTest {
    @Test
    void a_request_without_a_permit_is_not_found_even_if_a_route_was_found_for_it() {
        try (var clients = new UpstreamConnections(
                new FakeSvidSource(), Duration.ZERO, Duration.ZERO, () -> Instant.EPOCH, new SimpleMeterRegistry())) {
            var filter = new PinnedRoutingFilter(new UpstreamClient(clients));
            var exchange = MockServerWebExchange.from(MockServerHttpRequest.get("https://orders.orders.svc:8443/"));

            StepVerifier.create(filter.filter(exchange, _ -> Mono.error(new AssertionError("went on"))))
                    .verifyErrorSatisfies(failure -> assertThat(failure)
                            .asInstanceOf(type(ForwardFailure.class))
                            .extracting(ForwardFailure::denial)
                            .isEqualTo(new Denial.Rejected(Reason.FORWARD_PERMIT_MISSING)));
        }
    }
}
