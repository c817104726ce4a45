// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authorize.AuthorizeStage;
import io.sallyport.authorize.RouteRules;
import io.sallyport.authorize.pdp.Decision;
import io.sallyport.config.Findings;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.pipeline.Answer;
import io.sallyport.pipeline.BoundedCalls;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.ratelimit.LimitConfig;
import io.sallyport.ratelimit.RateLimitStage;
import io.sallyport.ratelimit.RouteLimits;
import io.sallyport.ratelimit.store.Charge;
import io.sallyport.ratelimit.store.LimitKey;
import io.sallyport.ratelimit.store.LimitStore;
import io.sallyport.ratelimit.store.Partition;
import io.sallyport.ratelimit.store.RatePolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** A request over a socket, and a decision point that waits on a thread of its own. */
class WaitingPortsTest {
    private static final Decision ALLOWED = new Decision.Allowed("remote", List.of());
    private static final Decision DENIED = new Decision.Denied(List.of("remote"), List.of());

    private final Scheduler adapter = Schedulers.newSingle("decision-point");
    private final BlockingQueue<MonoSink<Decision>> asked = new LinkedBlockingQueue<>();
    private final CountDownLatch cancelled = new CountDownLatch(1);
    private final CountDownLatch limitAsked = new CountDownLatch(1);

    @SuppressWarnings("NullAway.Init") // before each test
    private WireServer server;

    @BeforeEach
    void start() {
        server = serverWithin(Duration.ofSeconds(30));
    }

    @AfterEach
    void stop() {
        server.close();
        adapter.dispose();
    }

    private WireServer serverWithin(Duration deadline) {
        var calls = new BoundedCalls("pdp", 8, deadline, adapter);
        var question = Mono.<Decision>create(sink -> {
            sink.onCancel(cancelled::countDown);
            asked.add(sink);
        });
        var rules = new RouteRules(List.of(), _ -> new Answer.Later<>(calls.bound(question)));
        var stage = new AuthorizeStage(new SimpleMeterRegistry());
        return new WireServer()
                .on(Route.builder("orders", "localhost", Route.Kind.UPSTREAM)
                        .settings(StageName.AUTHORIZE, rules)
                        .build())
                .judging(stage::evaluate)
                .start();
    }

    private void decide(Decision decision) throws InterruptedException {
        var sink = asked.poll(10, TimeUnit.SECONDS);
        assertThat(sink).as("the question").isNotNull();
        adapter.schedule(() -> {
            if (sink != null) {
                sink.success(decision);
            }
        });
    }

    @Test
    void a_request_that_another_thread_allows_is_forwarded() throws Exception {
        try (var client = server.connect().send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
            decide(ALLOWED);

            assertThat(client.readAnswer()).startsWith("HTTP/1.1 200 ").endsWith("forwarded");
            assertThat(server.outcome()).isEqualTo(new Outcome.Answered(200));
            assertThat(server.hasAnotherOutcome()).isFalse();
        }
    }

    @Test
    void a_client_is_not_asked_for_its_body_while_somebody_decides() throws Exception {
        try (var client = server.connect()
                .send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")) {
            decide(DENIED);

            assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
        }
    }

    @Test
    void a_body_is_not_read_while_somebody_decides() throws Exception {
        // More than the buffers of both ends hold.
        int length = 64 * 1024 * 1024;
        try (var client = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()))) {
            client.write(
                    ByteBuffer.wrap(("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII)));
            await().until(() -> !asked.isEmpty());
            client.configureBlocking(false);
            long taken = fill(client, length);

            assertThat(taken).isLessThan(length);
            decide(DENIED);
            client.configureBlocking(true);
            var answer = ByteBuffer.allocate(12);
            while (answer.hasRemaining() && client.read(answer) >= 0) {
                // Until the status line is there.
            }
            assertThat(new String(answer.array(), StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 403");
        }
    }

    /** Writes until the other end has taken nothing for a while, or all of it. */
    private static long fill(SocketChannel client, long most) throws IOException, InterruptedException {
        long taken = 0;
        for (int idle = 0; idle < 20 && taken < most; ) {
            int written = client.write(ByteBuffer.allocate(64 * 1024));
            taken += written;
            if (written == 0) {
                idle++;
                Thread.sleep(25);
            } else {
                idle = 0;
            }
        }
        return taken;
    }

    @Test
    void a_client_that_goes_away_cancels_the_question() throws Exception {
        try (var client = server.connect().send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
            await().until(() -> !asked.isEmpty());
            client.reset();

            assertThat(cancelled.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(server.outcome()).isEqualTo(new Outcome.Cancelled(0));
            decide(ALLOWED);
            assertThat(server.ended(Duration.ofMillis(100))).isNull();
        }
    }

    @Test
    void a_client_that_goes_away_while_a_limit_is_charged_gets_the_charges_before_back() throws Exception {
        var givenBack = new CountDownLatch(1);
        LimitStore store = (policy, _) -> policy.name().value().equals("first")
                ? new Answer.Now<>(new Granted(policy, givenBack))
                : new Answer.Later<>(Mono.<Charge>never()
                        .doOnSubscribe(_ -> limitAsked.countDown())
                        .doOnCancel(cancelled::countDown)
                        .subscribeOn(adapter));
        try (var limited = new WireServer()
                        .on(routeWithLimits("first", "second"))
                        .judging(new RateLimitStage(store)::evaluate)
                        .start();
                var client = limited.connect().send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
            assertThat(limitAsked.await(10, TimeUnit.SECONDS)).isTrue();
            client.reset();

            assertThat(cancelled.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(givenBack.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(limited.outcome()).isEqualTo(new Outcome.Cancelled(0));
        }
    }

    private static Route routeWithLimits(String... names) {
        var limits = new LinkedHashMap<String, LimitConfig>();
        for (var name : names) {
            limits.put(name, new LimitConfig(LimitKey.Word.ROUTE, 10, Duration.ofMinutes(1), 1));
        }
        var compiled = RouteLimits.compile(limits, "orders", false, new Findings().at("rate-limits"));
        return Route.builder("orders", "localhost", Route.Kind.UPSTREAM)
                .settings(StageName.RATELIMIT, Objects.requireNonNull(compiled))
                .build();
    }

    private record Granted(RatePolicy policy, CountDownLatch givenBack) implements Charge {
        @Override
        public boolean granted() {
            return true;
        }

        @Override
        public long remaining() {
            return 9;
        }

        @Override
        public int reset() {
            return 60;
        }

        @Override
        public Partition partition() {
            return new Partition(policy, "label");
        }

        @Override
        public void giveBack() {
            givenBack.countDown();
        }
    }

    @Test
    void a_decision_point_that_never_decides_is_a_503_after_its_deadline() throws Exception {
        try (var impatient = serverWithin(Duration.ofMillis(100));
                var client = impatient.connect().send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 503 ").contains("\r\nretry-after: 5\r\n");
            var denial = ((Outcome.Refused) impatient.outcome()).denial();
            assertThat(denial.reason()).isEqualTo(Reason.AUTHORIZE_PDP_UNAVAILABLE);
            assertThat(denial.evidence().values()).containsKey(Evidence.Key.CAUSE);
            assertThat(cancelled.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }
}
