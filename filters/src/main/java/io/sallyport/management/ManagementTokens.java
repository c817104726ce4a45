// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.authenticate.AuthenticateStage;
import io.sallyport.edge.EdgeStage;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.RequestIds;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.TlsConnection;
import io.sallyport.revocation.RevocationStage;
import io.sallyport.revocation.denylist.DenyList;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.ReactiveJwtDecoder;
import reactor.core.publisher.Mono;

/**
 * Judges the tokens of the management port by the stages that judge those of the ingress port: {@code edge}, {@code authenticate}
 * and {@code revocation}. So there is one idea of what a good token is, and one set of keys; Spring Security does the rest.
 */
public final class ManagementTokens implements ReactiveJwtDecoder {
    /** What the request is addressed to that such a token is judged with. */
    public static final String HOST = "management";

    private final Pipeline pipeline;
    private final Supplier<@Nullable Snapshot> accepted;
    private final InstantSource clock;

    /**
     * Judges nothing yet.
     *
     * @param accepted what tokens are judged by now; null if the port accepts none
     * @param authenticate a stage for this port alone
     */
    public ManagementTokens(
            Supplier<@Nullable Snapshot> accepted,
            AuthenticateStage authenticate,
            DenyList denyList,
            InstantSource clock) {
        this.pipeline = new Pipeline(
                List.of(new EdgeStage(new CompositeMeterRegistry()), authenticate, new RevocationStage(denyList)),
                (_, _) -> {});
        this.accepted = accepted;
        this.clock = clock;
    }

    /** Fails with a message that nobody is shown: {@link ManagementSecurity} answers with fixed texts. */
    @Override
    public Mono<Jwt> decode(String token) {
        return Mono.defer(() -> {
            var context = context(token);
            return switch (pipeline.admit(context)) {
                case Admission.Settled settled -> jwt(settled, token);
                case Admission.Awaited(var admission) -> admission.flatMap(settled -> jwt(settled, token));
            };
        });
    }

    private RequestContext context(String token) {
        var snapshot = accepted.get();
        if (snapshot == null) {
            throw new JwtException("the management port has no issuer");
        }
        var now = clock.instant();
        return new RequestContext(
                new Presented(token),
                snapshot,
                RequestIds.mint(now.toEpochMilli()),
                now,
                System.nanoTime(),
                Runnable::run);
    }

    private static Mono<Jwt> jwt(Admission.Settled settled, String token) {
        return switch (settled) {
            case Admission.Permitted(var permit) ->
                permit.principal() instanceof Principal.Subject subject
                        ? Mono.just(jwt(subject, token))
                        : Mono.error(new BadJwtException("no subject"));
            case Admission.Refused(var denial) -> {
                var reason = denial.reason().code();
                yield Mono.error(denial.status() < 500 ? new BadJwtException(reason) : new JwtException(reason));
            }
        };
    }

    private static Jwt jwt(Principal.Subject subject, String token) {
        return Jwt.withTokenValue(token)
                // Spring wants some header; who reads one would read what nobody verified for them.
                .header("verified-by", "sallyport")
                .subject(subject.subject())
                .issuer(subject.issuer())
                .issuedAt(subject.issuedAt())
                .expiresAt(subject.expiresAt())
                .claim("scope", String.join(" ", subject.scopes()))
                .build();
    }

    /** A request as far as these two stages look at one. */
    private static final class Presented implements RequestHead {
        private final HttpHeaders headers = new DefaultHttpHeaders();

        private Presented(String token) {
            headers.set(HttpHeaderNames.HOST, HOST);
            headers.set(HttpHeaderNames.AUTHORIZATION, "Bearer " + token);
        }

        @Override
        public HttpMethod method() {
            return HttpMethod.GET;
        }

        @Override
        public String target() {
            return "/";
        }

        @Override
        public HttpHeaders headers() {
            return headers;
        }

        @Override
        public boolean isHttp2() {
            return false;
        }

        @Override
        public InetSocketAddress peerAddress() {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        }

        @Override
        public @Nullable TlsConnection tls() {
            return null;
        }
    }
}
