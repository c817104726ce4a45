// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.sallyport.app.demo.DemoParts;
import io.sallyport.app.demo.FreePort;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls of gRPC, from a client as grpc-java makes one to a server of it, over both ways forward. */
@ParameterizedClass
@EnumSource
class GrpcIT {
    enum Way {
        DIRECT,
        THROUGH_FILTERS;

        /** What the routes of this way are for: a service for each, for a call's path is its method's name. */
        String service(String name) {
            return name().toLowerCase(Locale.ROOT).replace("_", "") + "." + name;
        }
    }

    private static final List<String> SERVICES =
            List.of("Open", "Guarded", "Limited", "Short", "Small", "Wrong", "Ageing", "Old");
    private static final Duration NEVER = Duration.ofDays(1);
    private static final Duration AGE = Duration.ofMillis(300);

    private static final int PORT = FreePort.find();
    private static final int AGEING_PORT = FreePort.find();

    private static final String ROUTES = """
                WAY-SERVICE:
                  match: { hosts: [localhost], path: "/WAY.SERVICE/**", methods: [POST] }
                  ACCESS
            FILTERS      max-body: 16MB
                  upstream: { uri: "https://localhost:PORT", expected-ids: ["ID"], protocol: h2, max-stream: LONGEST }
            """;

    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.configured(GrpcIT::withGrpc);

    private static GrpcUpstream upstream;
    private static GrpcUpstream ageing;

    @Parameter
    Way way;

    private ManagedChannel connection;
    private Channel client;

    private static String withGrpc(String demo) {
        var payments = demo.split("https://localhost:", -1)[1].split("\\s", 2)[0];
        var routes = new StringBuilder(demo.replace("  listener:\n", "  listener:\n    body-timeout: 1s\n"));
        for (var way : Way.values()) {
            for (var service : SERVICES) {
                routes.append(ROUTES.replace("WAY.SERVICE", way.service(service))
                        .replace(
                                "WAY-SERVICE",
                                way.service(service).toLowerCase(Locale.ROOT).replace('.', '-'))
                        .replace("ACCESS", access(service))
                        .replace(
                                "FILTERS",
                                way == Way.DIRECT ? "" : "      filters: [\"AddResponseHeader=X-Way, filters\"]\n")
                        .replace(":PORT", ":" + portOf(service, payments))
                        .replace(
                                "ID",
                                service.equals("Wrong")
                                        ? DemoParts.LEDGER_ID.toString()
                                        : DemoParts.PAYMENTS_ID.toString())
                        .replace("16MB", service.equals("Small") ? "1KB" : "16MB")
                        .replace("LONGEST", service.equals("Short") ? "1s" : "1h"));
            }
        }
        return routes.toString();
    }

    private static String access(String service) {
        return switch (service) {
            case "Guarded" -> "authenticate: { issuers: [demo] }\n      authorize: { allow: { anyone: \"true\" } }";
            case "Limited" -> "authorize: public\n      rate-limits: { few: { key: address, limit: 1, per: 1h } }";
            default -> "authorize: public";
        };
    }

    private static String portOf(String service, String payments) {
        return switch (service) {
            case "Ageing" -> String.valueOf(AGEING_PORT);
            case "Old" -> payments;
            default -> String.valueOf(PORT);
        };
    }

    @BeforeAll
    static void startUpstreams() {
        var names = SERVICES.stream()
                .flatMap(service -> List.of(Way.values()).stream().map(way -> way.service(service)))
                .toList();
        var own = gateway.parts().svid(DemoParts.PAYMENTS_ID, NEVER);
        var root = gateway.parts().workloadRoot();
        upstream = GrpcUpstream.start(PORT, own, root, NEVER, names);
        ageing = GrpcUpstream.start(AGEING_PORT, own, root, AGE, names);
    }

    @AfterAll
    static void stopUpstreams() {
        upstream.close();
        ageing.close();
    }

    @BeforeEach
    void connect() throws Exception {
        connection = NettyChannelBuilder.forAddress(
                        "localhost", gateway.session().gateway().port())
                .sslContext(GrpcSslContexts.forClient()
                        .trustManager(gateway.parts().root())
                        .build())
                .maxInboundMessageSize(16 * 1024 * 1024)
                .build();
        client = connection;
    }

    @AfterEach
    void disconnect() {
        connection.shutdownNow();
    }

    @Test
    void one_message_is_answered_by_one() {
        assertThat(say("Open", "you")).isEqualTo("hello you");
    }

    @Test
    void by_a_stream() {
        assertThat(count("Open", 1_000)).toIterable().hasSize(1_000).endsWith("999", "1000");
    }

    @Test
    void a_stream_by_one() throws Exception {
        var answers = new Answers();
        var numbers = ClientCalls.asyncClientStreamingCall(
                client.newCall(GrpcUpstream.sum(way.service("Open")), CallOptions.DEFAULT), answers);
        IntStream.rangeClosed(1, 100).mapToObj(String::valueOf).forEach(numbers::onNext);
        numbers.onCompleted();

        assertThat(answers.next()).isEqualTo("5050");
        assertThat(answers.end().isOk()).isTrue();
    }

    @Test
    void and_two_streams_flow_at_the_same_time_for_as_long_as_they_like() throws Exception {
        var answers = new Answers();
        var questions = chat("Open", answers);

        for (int i = 0; i < 10; i++) {
            questions.onNext("ping " + i);
            assertThat(answers.next()).isEqualTo("re: ping " + i);
        }
        // Longer than a body may stand still that is no conversation.
        Thread.sleep(2_500);
        questions.onNext("still there?");
        assertThat(answers.next()).isEqualTo("re: still there?");
        questions.onCompleted();

        assertThat(answers.end().isOk()).isTrue();
    }

    @Test
    void an_error_of_the_server_reaches_the_client_with_all_that_it_says() {
        var error = failure(() -> say("Open", "fail"));

        assertThat(error.getStatus().getCode()).isEqualTo(Code.FAILED_PRECONDITION);
        assertThat(error.getStatus().getDescription()).isEqualTo("not now");
        assertThat(error.getTrailers().get(GrpcUpstream.DETAIL)).isEqualTo("why");
    }

    @Test
    void large_messages_pass() {
        var large = "x".repeat(8 * 1024 * 1024);

        assertThat(say("Open", large)).hasSize("hello ".length() + large.length());
    }

    @Test
    void one_call_is_cancelled_and_the_server_sees_it_and_the_others_go_on() throws Exception {
        var answers = new Answers();
        var other = chat("Open", answers);
        other.onNext("first");
        answers.next();
        int before = upstream.cancelled();

        var call = client.newCall(GrpcUpstream.chat(way.service("Open")), CallOptions.DEFAULT);
        var cancelled = new Answers();
        var questions = ClientCalls.asyncBidiStreamingCall(call, cancelled);
        questions.onNext("ping");
        cancelled.next();
        call.cancel("enough", null);

        Patience.until("the server sees it", () -> upstream.cancelled() == before + 1);
        other.onNext("second");
        assertThat(answers.next()).isEqualTo("re: second");
        other.onCompleted();
        assertThat(answers.end().isOk()).isTrue();
    }

    @Test
    void a_deadline_reaches_the_server() throws Exception {
        int before = upstream.cancelled();

        var error = failure(() -> ClientCalls.blockingUnaryCall(
                client,
                GrpcUpstream.hang(way.service("Open")),
                CallOptions.DEFAULT.withDeadlineAfter(500, TimeUnit.MILLISECONDS),
                "x"));

        assertThat(error.getStatus().getCode()).isEqualTo(Code.DEADLINE_EXCEEDED);
        assertThat(upstream.lastHead().containsKey(Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER)))
                .isTrue();
        Patience.until("the server sees it", () -> upstream.cancelled() == before + 1);
    }

    @Test
    void a_hundred_calls_at_a_time_share_a_connection_or_two() throws Exception {
        say("Open", "you");
        int before = upstream.connections();
        var chats = new ArrayList<StreamObserver<String>>();
        var all = new ArrayList<Answers>();
        for (int i = 0; i < 100; i++) {
            var answers = new Answers();
            all.add(answers);
            chats.add(chat("Open", answers));
        }
        for (int i = 0; i < 100; i++) {
            chats.get(i).onNext("ping " + i);
        }

        for (int i = 0; i < 100; i++) {
            assertThat(all.get(i).next()).isEqualTo("re: ping " + i);
            chats.get(i).onCompleted();
            assertThat(all.get(i).end().isOk()).isTrue();
        }
        assertThat(upstream.connections() - before).isLessThanOrEqualTo(2);
    }

    @Test
    void nobody_without_the_right_identity_sees_a_call() {
        int before = upstream.calls();

        var error = failure(() -> say("Wrong", "you"));

        assertThat(error.getStatus().getCode()).isEqualTo(Code.UNAVAILABLE);
        assertThat(upstream.calls()).isEqualTo(before);
    }

    @Test
    void nor_does_an_upstream_without_http_2() {
        var error = failure(() -> say("Old", "you"));

        assertThat(error.getStatus().getCode()).isEqualTo(Code.UNAVAILABLE);
        assertThat(error.getStatus().getDescription()).contains("upstream_unavailable");
    }

    @Test
    void a_refusal_is_a_status_of_grpc() throws Exception {
        assertThat(failure(() -> say("Guarded", "you")).getStatus().getCode()).isEqualTo(Code.UNAUTHENTICATED);
        assertThat(failure(() -> say("Nowhere", "you")).getStatus().getCode()).isEqualTo(Code.UNAUTHENTICATED);

        as(gateway.token(DemoParts.ACME));
        assertThat(say("Guarded", "you")).isEqualTo("hello you");
        assertThat(failure(() -> say("Nowhere", "you")).getStatus().getCode()).isEqualTo(Code.UNIMPLEMENTED);
    }

    @Test
    void a_token_that_is_not_valid_here_is_unauthenticated() {
        as(gateway.parts().issuer().mint(DemoParts.ACME, "another-api", Map.of()));

        assertThat(failure(() -> say("Guarded", "you")).getStatus().getCode()).isEqualTo(Code.UNAUTHENTICATED);
    }

    @Test
    void a_message_that_is_larger_than_the_route_takes_is_too_much() throws Exception {
        var large = "x".repeat(2_000);
        var error = failure(() -> say("Small", large));
        assertThat(error.getStatus().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
        assertThat(error.getStatus().getDescription()).contains("too_large");

        var answers = new Answers();
        var questions = chat("Small", answers);
        questions.onNext("ping");
        assertThat(answers.next()).isEqualTo("re: ping");
        questions.onNext(large);
        var end = answers.end();
        assertThat(end.getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
        assertThat(end.getDescription()).contains("too_large");
    }

    @Test
    void one_for_too_much_says_when_to_come_back() {
        var error = IntStream.range(0, 2)
                .mapToObj(_ -> catchThrowableOfType(StatusRuntimeException.class, () -> say("Limited", "you")))
                .filter(thrown -> thrown != null)
                .findFirst()
                .orElseThrow();

        assertThat(error.getStatus().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
        assertThat(error.getTrailers().containsKey(Metadata.Key.of("retry-after", Metadata.ASCII_STRING_MARSHALLER)))
                .isTrue();
    }

    @Test
    void a_stream_ends_where_its_route_says() throws Exception {
        int before = upstream.cancelled();
        var answers = new Answers();
        var questions = chat("Short", answers);
        questions.onNext("ping");
        assertThat(answers.next()).isEqualTo("re: ping");

        assertThat(answers.end().isOk()).isFalse();

        Patience.until("the server sees it", () -> upstream.cancelled() == before + 1);
    }

    @Test
    void a_renewed_svid_is_shown_and_fails_no_call() throws Exception {
        try (var load = new Calls("Open")) {
            load.awaitMore(20);
            var serial = gateway.parts().rotateSvid().leaf().getSerialNumber().toString(16);

            Patience.until("the new SVID is shown", () -> upstream.callers().contains(serial));
            load.awaitMore(50);

            assertThat(load.stop()).isEmpty();
        }
    }

    @Test
    void an_upstream_that_ends_its_connections_in_order_fails_no_call() throws Exception {
        int before = ageing.connections();
        try (var load = new Calls("Ageing")) {
            Patience.until("some connections are over", () -> ageing.connections() >= before + 5);

            assertThat(load.stop()).isEmpty();
        }
    }

    private String say(String service, String text) {
        return ClientCalls.blockingUnaryCall(client, GrpcUpstream.say(way.service(service)), CallOptions.DEFAULT, text);
    }

    private Iterator<String> count(String service, int end) {
        return ClientCalls.blockingServerStreamingCall(
                client, GrpcUpstream.count(way.service(service)), CallOptions.DEFAULT, String.valueOf(end));
    }

    private StreamObserver<String> chat(String service, Answers answers) {
        return ClientCalls.asyncBidiStreamingCall(
                client.newCall(GrpcUpstream.chat(way.service(service)), CallOptions.DEFAULT), answers);
    }

    private void as(String token) {
        var fields = new Metadata();
        fields.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        client = ClientInterceptors.intercept(connection, MetadataUtils.newAttachHeadersInterceptor(fields));
    }

    private static StatusRuntimeException failure(Runnable call) {
        return catchThrowableOfType(StatusRuntimeException.class, call::run);
    }

    /** What comes back on one call. */
    private static final class Answers implements StreamObserver<String> {
        private final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
        private final BlockingQueue<Status> ends = new LinkedBlockingQueue<>();

        String next() throws InterruptedException {
            return messages.poll(20, TimeUnit.SECONDS);
        }

        Status end() throws InterruptedException {
            return ends.poll(20, TimeUnit.SECONDS);
        }

        @Override
        public void onNext(String message) {
            messages.add(message);
        }

        @Override
        public void onError(Throwable why) {
            ends.add(Status.fromThrowable(why));
        }

        @Override
        public void onCompleted() {
            ends.add(Status.OK);
        }
    }

    /** Some callers, one call after the other. */
    private final class Calls implements AutoCloseable {
        private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        private final List<Future<?>> callers = new ArrayList<>();
        private final AtomicBoolean over = new AtomicBoolean();
        private final AtomicInteger made = new AtomicInteger();
        private final BlockingQueue<String> failures = new LinkedBlockingQueue<>();

        Calls(String service) {
            for (int i = 0; i < 4; i++) {
                callers.add(threads.submit(() -> call(service)));
            }
        }

        private void call(String service) {
            while (!over.get()) {
                var failure = catchThrowableOfType(StatusRuntimeException.class, () -> say(service, "you"));
                made.incrementAndGet();
                if (failure != null) {
                    failures.add(failure.toString());
                }
            }
        }

        void awaitMore(int calls) throws InterruptedException {
            int enough = made.get() + calls;
            Patience.until(calls + " more calls", () -> made.get() >= enough);
        }

        /** What failed. */
        List<String> stop() throws Exception {
            over.set(true);
            for (var caller : callers) {
                caller.get();
            }
            return List.copyOf(failures);
        }

        @Override
        public void close() {
            over.set(true);
            threads.close();
        }
    }
}
