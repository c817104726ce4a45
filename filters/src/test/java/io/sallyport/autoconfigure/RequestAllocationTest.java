// SPDX-License-Identifier: Apache-2.0
package io.sallyport.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.authenticate.AuthenticateConfig;
import io.sallyport.authenticate.AuthenticateStage;
import io.sallyport.authenticate.CryptoProvider;
import io.sallyport.authenticate.FakeJwkSetSource;
import io.sallyport.authenticate.TestTokens;
import io.sallyport.authorize.AuthorizeStage;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.edge.EdgeStage;
import io.sallyport.flood.AuthenticationFailures;
import io.sallyport.flood.ConnectionCounts;
import io.sallyport.flood.FloodStage;
import io.sallyport.ingress.Ingress;
import io.sallyport.ingress.IngressPipeline;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.TlsConnection;
import io.sallyport.ratelimit.BucketStore;
import io.sallyport.ratelimit.RateLimitStage;
import io.sallyport.revocation.DenyListIndex;
import io.sallyport.revocation.MemoryDenyListStore;
import io.sallyport.revocation.RevocationStage;
import io.sallyport.risk.RiskStage;
import io.sallyport.route.RouteStage;
import io.sallyport.route.UpstreamHealth;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
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
    private static final int PERMITTED = 2_184;
    private static final int NO_TOKEN = 648;
    private static final int REMEMBERED_REFUSAL = 1_304;

    private static final int SAMPLES = 21;
    private static final TestTokens KEY = TestTokens.es256();
    private static final UUID ID = UUID.fromString("019a0000-0000-7000-8000-000000000001");
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final String FILE = """
            sallyport:
              listener: { port: 8443, insecure-plaintext: true }
              management: { insecure-plaintext: true }
              identity: { workload-api: "unix:/run/spire/agent.sock" }
              issuers:
                corp: { issuer: "%s", audiences: ["%s"], max-token-lifetime: 24h }
              stages:
                risk:
                  signals:
                    auth-failures: { weight: 40, failures: 5 }
                    ua-scanner: { weight: 60 }
                    token-age: { weight: 20, older-than: 30m }
                    device-noncompliant: { weight: 50, claim: device_posture, compliant: [compliant] }
              routes:
                payments:
                  match: { hosts: [api.example.org], path: "/v1/tenants/{tenant}/payments/**", methods: [GET, POST] }
                  authenticate: { issuers: [corp] }
                  authorize: { allow: { payers: "'payments:read' in token.scopes && token.claims.tenant_id == path.tenant" } }
                  rate-limits: { user: { key: subject, limit: 1000000, per: 1m } }
                  risk: { step-up: 60, read-only: 80, deny: 90 }
                  upstream:
                    uri: https://payments:8443
                    expected-ids: ["spiffe://example.org/payments"]
                    circuit-breaker: { failure-rate: 50, open-for: 10s }
                    max-concurrent: 200
            """.formatted(TestTokens.ISSUER, TestTokens.AUDIENCE);

    @TempDir
    private Path folder;

    @SuppressWarnings("NullAway.Init") // before each test
    private Snapshot snapshot;

    @SuppressWarnings("NullAway.Init") // before each test
    private Ingress ingress;

    @BeforeEach
    void build() throws IOException {
        var failures = new AuthenticationFailures();
        var meters = new SimpleMeterRegistry();
        var clock = Clock.fixed(FakeRequest.NOW, ZoneOffset.UTC);
        var denyList = new DenyListIndex(meters);
        var unused = new MemoryDenyListStore(denyList, 1_000, clock);
        snapshot = new SnapshotCompiler(
                        (_, _, _) -> FakeJwkSetSource.of(KEY),
                        (_, _, _) -> null,
                        CryptoProvider.detect(),
                        failures::lastMinute)
                .compile(ConfigurationFile.load(Files.writeString(folder.resolve("gateway.yaml"), FILE)))
                .snapshot();
        ingress = IngressPipeline.create(
                new EdgeStage(),
                new FloodStage(failures, new ConnectionCounts()),
                new AuthenticateStage(
                        new AuthenticateConfig(null, null, Duration.ofSeconds(30), 1_000, null), () -> null, meters),
                new RevocationStage(denyList),
                new RateLimitStage(BucketStore.inMemory()),
                new RiskStage(),
                new AuthorizeStage(meters),
                new RouteStage(new UpstreamHealth(meters, clock)),
                (_, _, _) -> fail("nothing is forwarded here"),
                (_, _) -> {});
    }

    @Test
    void a_permitted_request_whose_token_was_seen_before_allocates_what_it_always_did() {
        var head = Head.get("/v1/tenants/acme/payments/42", goodToken());

        assertThat(ingress.admit(context(head))).isInstanceOf(Admission.Permitted.class);
        assertThat(bytesOf(head)).isEqualTo(PERMITTED);
    }

    @Test
    void a_request_without_a_token_allocates_what_it_always_did() {
        var head = Head.get("/v1/tenants/acme/payments/42", null);

        assertRefused(head, Reason.AUTHENTICATE_JWT_MISSING);
        assertThat(bytesOf(head)).isEqualTo(NO_TOKEN);
    }

    @Test
    void a_token_that_was_refused_before_is_refused_from_memory_and_allocates_what_it_always_did() {
        var head = Head.get("/v1/tenants/acme/payments/42", KEY.token().forge());

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
            ingress.admit(context(Head.get("/v1/tenants/acme/payments/42", goodToken())));
            ingress.admit(context(Head.get("/v1/tenants/acme/payments/42", null)));
            assertThat(operators).hasValue(0);

            var _ = Mono.just(1).map(i -> i);
            assertThat(operators).as("the hook counts").hasPositiveValue();
        } finally {
            Hooks.resetOnEachOperator("count");
        }
    }

    private static String goodToken() {
        return KEY.token()
                .scope("payments:read")
                .claim("tenant_id", "acme")
                .claim("device_posture", "compliant")
                .issue();
    }

    private void assertRefused(RequestHead head, Reason reason) {
        assertThat(ingress.admit(context(head)))
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
            ingress.admit(context(head));
            bytes[i] = THREADS.getCurrentThreadAllocatedBytes() - before;
        }
        Arrays.sort(bytes);
        return bytes[SAMPLES / 2];
    }

    private RequestContext context(RequestHead head) {
        return new RequestContext(head, snapshot, ID, FakeRequest.NOW, 0, Runnable::run);
    }

    /** A head that costs nothing to ask, as that of a connection that has been open for a while. */
    private record Head(HttpMethod method, String target, HttpHeaders headers, InetSocketAddress peerAddress)
            implements RequestHead {
        static Head get(String target, @Nullable String token) {
            var headers = DefaultHttpHeadersFactory.headersFactory().newHeaders();
            headers.set("Host", "api.example.org");
            headers.set("User-Agent", "curl/8.14.1");
            headers.set("Accept", "*/*");
            if (token != null) {
                headers.set("Authorization", "Bearer " + token);
            }
            return new Head(HttpMethod.GET, target, headers, new InetSocketAddress("192.0.2.7", 40_000));
        }

        @Override
        public boolean isHttp2() {
            return false;
        }

        @Override
        public @Nullable TlsConnection tls() {
            return null;
        }
    }
}
