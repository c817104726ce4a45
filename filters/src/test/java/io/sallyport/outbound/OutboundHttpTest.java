// SPDX-License-Identifier: Apache-2.0
package io.sallyport.outbound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.resolver.AddressResolver;
import io.netty.resolver.AddressResolverGroup;
import io.netty.resolver.InetNameResolver;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Promise;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.server.HttpServer;
import reactor.netty.resources.ConnectionProvider;

/** A fake metadata service on this machine, which must get nothing, and a DNS whose answers change. */
class OutboundHttpTest {
    private static final InetAddress METADATA = address("169.254.169.254");
    private static final InetAddress HERE = address("127.0.0.1");

    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final DisposableServer metadata = HttpServer.create()
            .host("127.0.0.1")
            .port(0)
            .handle((request, response) -> {
                asked.add(request.uri());
                return response.sendString(Mono.just("{\"AccessKeyId\":\"ASIA\"}"));
            })
            .bindNow();
    private final Answers dns = new Answers();

    @AfterEach
    void stop() {
        metadata.disposeNow();
    }

    /** What the guard looked at and what is dialled would differ if the name were looked up twice. */
    @Test
    void a_name_is_looked_up_once_and_what_it_leads_to_is_what_is_dialled() {
        dns.answer(HERE).answer(METADATA);

        assertThat(get(client(false), "keys.example.org", "/jwks")).isEqualTo(200);

        assertThat(dns.left()).as("answers that nobody asked for").isEqualTo(1);
        assertThat(asked).containsExactly("/jwks");
    }

    @Test
    void an_answer_of_dns_that_changes_to_a_metadata_service_is_not_followed() {
        dns.answer(HERE).answer(METADATA);
        assertThat(get(client(false), "keys.example.org", "/jwks")).isEqualTo(200);

        assertThatThrownBy(() -> get(client(false), "keys.example.org", "/latest/meta-data/iam/"))
                .hasRootCauseInstanceOf(DialGuard.Refused.class)
                .hasStackTraceContaining("169.254.169.254");
        assertThat(asked).containsExactly("/jwks");
    }

    @Test
    void a_metadata_service_behind_a_public_name_gets_no_byte() {
        dns.answer(HERE);

        assertThatThrownBy(() -> get(client(true), "keys.example.org", "/latest/meta-data/iam/"))
                .hasRootCauseInstanceOf(DialGuard.Refused.class);
        assertThat(asked).isEmpty();
    }

    @Test
    void a_redirect_is_followed_nowhere() {
        var target = "http://127.0.0.1:%d/latest/meta-data/iam/".formatted(metadata.port());
        var redirecting = HttpServer.create()
                .host("127.0.0.1")
                .port(0)
                .handle((_, response) ->
                        response.status(307).header("Location", target).send())
                .bindNow();
        try {
            assertThat(client(false)
                            .get()
                            .uri("http://127.0.0.1:" + redirecting.port())
                            .response()
                            .block(Duration.ofSeconds(10)))
                    .satisfies(response -> assertThat(response.status().code()).isEqualTo(307));
        } finally {
            redirecting.disposeNow();
        }
        assertThat(asked).isEmpty();
    }

    private HttpClient client(boolean publicOnly) {
        return OutboundHttp.client(ConnectionProvider.newConnection(), null, publicOnly, Duration.ofSeconds(2))
                .resolver(dns);
    }

    private @Nullable Integer get(HttpClient client, String host, String path) {
        return client.get()
                .uri("http://%s:%d%s".formatted(host, metadata.port(), path))
                .response()
                .map(response -> response.status().code())
                .block(Duration.ofSeconds(10));
    }

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** Gives one answer after the other, whatever the name. */
    private static final class Answers extends AddressResolverGroup<InetSocketAddress> {
        private final Deque<InetAddress> answers = new ArrayDeque<>();

        Answers answer(InetAddress address) {
            answers.add(address);
            return this;
        }

        int left() {
            return answers.size();
        }

        @Override
        protected AddressResolver<InetSocketAddress> newResolver(EventExecutor executor) {
            return new InetNameResolver(executor) {
                @Override
                protected void doResolve(String name, Promise<InetAddress> promise) {
                    promise.setSuccess(answers.removeFirst());
                }

                @Override
                protected void doResolveAll(String name, Promise<List<InetAddress>> promise) {
                    promise.setSuccess(Arrays.asList(answers.removeFirst()));
                }
            }.asAddressResolver();
        }
    }
}
