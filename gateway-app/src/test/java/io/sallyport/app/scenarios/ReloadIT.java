// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.demo.DemoHttp;
import io.sallyport.app.demo.DemoParts;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The file is edited while the gateway runs. */
class ReloadIT {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.ofItsOwn();

    private String original;

    @BeforeEach
    void remember() throws IOException {
        original = Files.readString(gateway.parts().configuration());
    }

    @AfterEach
    void restore() throws Exception {
        edit(original);
        await(() -> status("/v1/tenants/acme/payments/42") == 200 && status("/v2/orders/1") == 404);
    }

    @Test
    void a_good_change_is_taken_over_without_a_restart() throws Exception {
        assertThat(status("/v2/orders/1")).isEqualTo(404);

        edit(original.replace("path: \"/v1/orders/**\"", "path: \"/v2/orders/**\""));

        await(() -> status("/v2/orders/1") == 200);
        assertThat(status("/v1/orders/1")).isEqualTo(404);
    }

    @Test
    void a_rule_that_was_tightened_holds_from_the_swap_on() throws Exception {
        assertThat(status("/v1/tenants/acme/payments/42")).isEqualTo(200);

        edit(original.replace("token.claims.tenant_id == path.tenant\"", "token.claims.tenant_id == 'nobody'\""));

        await(() -> status("/v1/tenants/acme/payments/42") == 403);
    }

    @Test
    void a_bad_change_changes_nothing_and_is_shown_in_health() throws Exception {
        assertThat(health()).contains("\"file\":\"in force\"");

        // One good change and one bad: neither may be applied.
        edit(original.replace("path: \"/v1/orders/**\"", "path: \"/v2/orders/**\"")
                .replace("decision-log:", "frobnicate: 1\n  decision-log:"));

        await(() -> health().contains("\"file\":\"refused\""));
        assertThat(health()).contains("\"findings\":1");
        assertThat(status("/v1/tenants/acme/payments/42")).isEqualTo(200);
        assertThat(status("/v2/orders/1")).isEqualTo(404);
        assertThat(gateway.get(gateway.management("/readyz")).statusCode()).isEqualTo(200);
    }

    @Test
    void renewed_certificates_are_shown_on_both_ports_without_a_restart_and_a_pair_that_does_not_match_never()
            throws Exception {
        var key = gateway.parts().configuration().resolveSibling("gateway-key.pem");
        var before = shown(gateway.ingress("/").getPort());
        assertThat(shown(gateway.management("/").getPort())).isEqualTo(before);

        var renewed = gateway.parts().renewServerCertificate().leaf();

        await(() -> shown(gateway.ingress("/").getPort()).equals(renewed));
        await(() -> shown(gateway.management("/").getPort()).equals(renewed));

        Files.writeString(key, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        await(() -> metrics()
                .contains("sallyport_server_certificate_changes_total{port=\"listener\",result=\"refused\"} 1.0"));

        assertThat(shown(gateway.ingress("/").getPort())).isEqualTo(renewed);
        assertThat(status("/v1/tenants/acme/payments/42")).isEqualTo(200);
    }

    private static X509Certificate shown(int port) throws Exception {
        var tls = DemoHttp.tlsTrusting(gateway.parts().root());
        try (var socket = (SSLSocket) tls.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port)) {
            socket.startHandshake();
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    private static String metrics() throws Exception {
        var token = gateway.client().token(DemoParts.OPERATOR, Map.of("resource", DemoParts.MANAGEMENT_AUDIENCE));
        return gateway.get(gateway.management("/actuator/prometheus"), token).body();
    }

    private static int status(String path) throws Exception {
        return gateway.get(gateway.ingress(path), gateway.token(DemoParts.ACME)).statusCode();
    }

    private static String health() throws Exception {
        var token = gateway.client().token(DemoParts.OPERATOR, Map.of("resource", DemoParts.MANAGEMENT_AUDIENCE));
        return gateway.get(gateway.management("/actuator/health"), token).body();
    }

    /** In one step, as an operator's tools do. */
    private static void edit(String text) throws IOException {
        var file = gateway.parts().configuration();
        var edited = Files.writeString(file.resolveSibling("gateway.yaml.new"), text);
        Files.move(edited, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void await(Callable<Boolean> condition) throws Exception {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("within " + PATIENCE).isLessThan(deadline);
            // Slower than the rate limit of the route that is asked.
            Thread.sleep(500);
        }
    }
}
