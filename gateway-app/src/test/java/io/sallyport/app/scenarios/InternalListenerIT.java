// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.app.demo.Credentials;
import io.sallyport.app.demo.DemoCertificateAuthority;
import io.sallyport.app.demo.DemoHttp;
import io.sallyport.app.demo.DemoParts;
import io.sallyport.app.demo.FreePort;
import io.sallyport.app.scenarios.RawConnection.Response;
import io.sallyport.decision.Reason;
import io.spiffe.spiffeid.SpiffeId;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Workloads call the gateway on its internal listener, and each side shows its SVID. */
class InternalListenerIT {
    private static final SpiffeId EXPORT = id("batch", "export");
    private static final int PORT = FreePort.find();

    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.configured(InternalListenerIT::withInternalListener);

    private static String withInternalListener(String demo) {
        return demo.replace("  management:\n", """
                internal-listener:
                  address: 127.0.0.1
                  port: %d
                  client-spiffe-ids: ["spiffe://demo.sallyport.test/ns/batch/sa/*"]
                management:
                """.formatted(PORT).indent(2))
                + """
                batch:
                  match: { hosts: [localhost], path: "/v1/batch/**", methods: [GET] }
                  authenticate: { client-spiffe-ids: ["spiffe://demo.sallyport.test/ns/batch/sa/*"] }
                  authorize:
                    allow:
                      exports: "principal.kind == 'workload' && principal.spiffe_id.endsWith('/sa/export')"
                """.indent(4)
                + demo.substring(demo.lastIndexOf("      upstream:"));
    }

    @Test
    void a_workload_is_the_principal_of_what_it_asks_there() throws Exception {
        var response = get("/v1/batch/1", svid(EXPORT));

        assertThat(response.status()).isEqualTo(200);
        assertThat(gateway.recordOf(response.field("X-Request-ID")).field("sallyport.client_spiffe_id"))
                .isEqualTo(EXPORT.toString());

        assertReason(get("/v1/batch/1", svid(id("batch", "audit"))), Reason.AUTHORIZE_NO_RULE_ALLOWED);
    }

    @Test
    void the_routes_are_the_same_and_ask_for_what_they_ask_for() throws Exception {
        var token = "Authorization: Bearer " + gateway.token(DemoParts.ACME) + "\r\n";

        assertThat(get("/v1/orders/1", svid(EXPORT), token).status()).isEqualTo(200);
        assertReason(get("/v1/orders/1", svid(EXPORT)), Reason.AUTHENTICATE_JWT_MISSING);
        assertThat(get("/status", svid(EXPORT)).status()).isEqualTo(200);
        assertReason(get("/nowhere", svid(EXPORT)), Reason.AUTHORIZE_ROUTE_UNMATCHED);
    }

    @Test
    void clients_outside_are_asked_for_no_certificate_and_are_no_workloads() throws Exception {
        var response = gateway.get(gateway.ingress("/v1/batch/1"));

        assertThat(response.statusCode()).isEqualTo(401);
        assertThat(gateway.recordOf(response).field("event.reason"))
                .isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_MISSING.code());
    }

    @Test
    void who_is_not_named_or_proves_nothing_gets_no_connection() {
        assertNoConnection(svid(id("marketing", "newsletter")));
        assertNoConnection(DemoCertificateAuthority.ofTrustDomain(DemoParts.TRUST_DOMAIN, InstantSource.system())
                .svid(EXPORT, Duration.ofMinutes(5)));
        assertThatThrownBy(() -> ask(
                        RawConnection.open(DemoHttp.tlsTrusting(gateway.parts().workloadRoot()), PORT), "/status", ""))
                .isInstanceOf(IOException.class);
    }

    @Test
    void a_rotated_svid_is_shown_from_the_next_handshake_on() throws Exception {
        try (var open = connect(svid(EXPORT))) {
            assertThat(ask(open, "/status", "").status()).isEqualTo(200);

            var renewed = gateway.parts().rotateSvid().leaf();

            Patience.until("the renewed SVID is shown", () -> shown().equals(renewed));
            assertThat(ask(open, "/status", "").status()).isEqualTo(200);
        }
    }

    private static X509Certificate shown() throws IOException {
        try (var connection = connect(svid(EXPORT))) {
            assertThat(ask(connection, "/status", "").status()).isEqualTo(200);
            return connection.certificate();
        }
    }

    private static void assertNoConnection(Credentials caller) {
        assertThatThrownBy(() -> get("/status", caller)).isInstanceOf(IOException.class);
    }

    private static void assertReason(Response response, Reason reason) throws Exception {
        assertThat(response.status()).isEqualTo(reason.status());
        assertThat(gateway.recordOf(response.field("X-Request-ID")).field("event.reason"))
                .isEqualTo(reason.code());
    }

    private static Response get(String path, Credentials caller) throws IOException {
        return get(path, caller, "");
    }

    private static Response get(String path, Credentials caller, String fields) throws IOException {
        try (var connection = connect(caller)) {
            return ask(connection, path, fields);
        }
    }

    private static RawConnection connect(Credentials caller) throws IOException {
        return RawConnection.open(DemoHttp.tlsTrusting(gateway.parts().workloadRoot(), caller), PORT);
    }

    private static Response ask(RawConnection connection, String path, String fields) throws IOException {
        return connection
                .write("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n")
                .read();
    }

    private static Credentials svid(SpiffeId id) {
        return gateway.parts().svid(id);
    }

    private static SpiffeId id(String namespace, String account) {
        return DemoParts.TRUST_DOMAIN.newSpiffeId("ns", namespace, "sa", account);
    }
}
