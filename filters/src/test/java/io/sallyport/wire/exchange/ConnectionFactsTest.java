// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.sallyport.forward.TestCa;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SNIHostName;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.netty.Connection;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.server.HttpServer;

/** What is read of a connection. */
class ConnectionFactsTest {
    private final TestCa ca = TestCa.of("example.org");

    @ParameterizedTest
    @EnumSource(
            value = SslProvider.class,
            names = {"JDK", "OPENSSL"})
    void the_certificate_that_the_client_proved_is_handed_on_leaf_first(SslProvider provider) throws Exception {
        Assumptions.assumeTrue(provider == SslProvider.JDK || OpenSsl.isAvailable(), "no OpenSSL on this platform");
        var gateway = ca.issue(new TestCa.Leaf().dnsName("localhost"));
        var caller = ca.intermediate().issue("/ns/orders/sa/caller");
        var facts = new CompletableFuture<ConnectionFacts>();
        var serverTls = SslContextBuilder.forServer(gateway.key(), gateway.chainArray())
                .sslProvider(provider)
                .trustManager(ca.certificate())
                .clientAuth(ClientAuth.REQUIRE)
                .build();
        var clientTls = SslContextBuilder.forClient()
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .endpointIdentificationAlgorithm(null)
                .keyManager(caller.key(), caller.chainArray())
                .build();
        var server = HttpServer.create()
                .host("127.0.0.1")
                .port(0)
                .secure(spec -> spec.sslContext(serverTls))
                .handle((request, response) -> {
                    facts.complete(ConnectionFacts.of(((Connection) request).channel()));
                    return response.send();
                })
                .bindNow();
        try {
            HttpClient.create()
                    .secure(spec -> spec.sslContext(clientTls).serverNames(new SNIHostName("Api.Example.org")))
                    .get()
                    .uri("https://localhost:" + server.port() + "/")
                    .response()
                    .block();

            var connection =
                    Objects.requireNonNull(facts.get(10, TimeUnit.SECONDS).tls());
            var peer = Objects.requireNonNull(connection.peer());
            assertThat(peer.chain()).isEqualTo(caller.chain());
            assertThat(connection.serverName()).isEqualTo("api.example.org");
        } finally {
            server.disposeNow();
        }
    }
}
