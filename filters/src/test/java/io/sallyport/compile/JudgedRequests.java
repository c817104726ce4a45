// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.authenticate.AuthenticateStage;
import io.sallyport.authenticate.FakeJwkSetSource;
import io.sallyport.authenticate.TestIssuer;
import io.sallyport.authenticate.TestTokens;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.edge.EdgeStage;
import io.sallyport.ingress.Ingress;
import io.sallyport.ingress.IngressPipeline;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.TlsConnection;
import io.sallyport.route.RouteStage;
import io.sallyport.route.UpstreamHealth;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The whole pipeline of a configuration with every stage on, and requests to be judged by it: to count what that costs. */
public final class JudgedRequests {
    private static final TestTokens KEY = TestTokens.es256();
    private static final UUID ID = UUID.fromString("019a0000-0000-7000-8000-000000000001");
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

    private final Snapshot snapshot;
    private final Ingress ingress;

    /** @param folder for the configuration file */
    public JudgedRequests(Path folder) throws IOException {
        var meters = new SimpleMeterRegistry();
        var clock = Clock.fixed(FakeRequest.NOW, ZoneOffset.UTC);
        var configuration = Configuration.load(
                new ConfigurationFile(Files.writeString(folder.resolve("gateway.yaml"), FILE), clock));
        var modules = StageModules.open(configuration.settings().stages(), clock, meters);
        snapshot = new SnapshotCompiler(
                        (_, _, _) -> FakeJwkSetSource.of(KEY), (_, _, _) -> null, CryptoProvider.detect(), modules)
                .compile(configuration)
                .snapshot();
        ingress = IngressPipeline.create(
                new EdgeStage(meters),
                modules.flood().stage(),
                new AuthenticateStage(TestIssuer.STAGE, () -> null, meters),
                modules.revocation().stage(),
                modules.rateLimit().stage(),
                modules.risk().stage(),
                modules.authorize().stage(),
                new RouteStage(new UpstreamHealth(meters, clock)),
                (_, _) -> {
                    throw new IllegalStateException("nothing is forwarded here");
                },
                (_, _) -> {},
                (_, _) -> {});
    }

    /** Judges a request that has this token, or none. */
    public Admission judge(@Nullable String token) {
        return judge(head(token));
    }

    /** Judges a request for the head again. */
    Admission judge(RequestHead head) {
        return ingress.admit(new RequestContext(head, snapshot, ID, FakeRequest.NOW, 0, Runnable::run));
    }

    /** A token that the configuration lets in. */
    public static String goodToken() {
        return KEY.token()
                .scope("payments:read")
                .claim("tenant_id", "acme")
                .claim("device_posture", "compliant")
                .issue();
    }

    /** One whose signature is of another key. */
    public static String forgedToken() {
        return KEY.token().forge();
    }

    static RequestHead head(@Nullable String token) {
        return Head.get("/v1/tenants/acme/payments/42", token);
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
