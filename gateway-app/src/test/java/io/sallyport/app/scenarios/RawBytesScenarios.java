// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.demo.DemoParts;
import io.sallyport.decision.Reason;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Bytes that no client library would send, over real TLS. On both ways forward. */
abstract class RawBytesScenarios {
    private static final String PAYMENT = "/v1/tenants/acme/payments/42";

    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.shared();

    @Test
    void a_connection_serves_one_permitted_request_after_the_other() throws Exception {
        var token = gateway.token(DemoParts.ACME);
        try (var connection = gateway.connect()) {
            for (int i = 0; i < 3; i++) {
                var response = connection
                        .write("GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n"
                                .formatted(PAYMENT, token))
                        .read();

                assertThat(response.status()).isEqualTo(200);
                assertThat(response.body()).contains("\"upstream\" : \"payments\"");
            }
        }
    }

    @Test
    void two_lengths_for_one_body_are_refused_recorded_and_end_the_connection() throws Exception {
        var before = gateway.parts().payments().requests();
        try (var connection = gateway.connect()) {
            var response = connection
                    .write(
                            "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                                    .formatted(PAYMENT, gateway.token(DemoParts.ACME)))
                    .read();

            assertThat(response.status()).isEqualTo(400);
            assertThat(response.field("Content-Type")).isEqualTo("application/problem+json");
            assertThat(connection.isClosedByPeer()).isTrue();
            assertThat(gateway.recordOf(response.field("X-Request-ID")).field("event.reason"))
                    .isEqualTo(Reason.EDGE_FRAMING_AMBIGUOUS.code());
        }
        assertThat(gateway.parts().payments().requests()).isEqualTo(before);
    }

    /** Whether a body is too large is not for strangers to find out. */
    @Test
    void a_body_that_is_too_large_is_a_401_without_a_credential_and_a_413_with_one() throws Exception {
        var before = gateway.parts().payments().requests();
        var head = "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n%s\r\n";
        for (var path : List.of(PAYMENT, "/v1/orders/1", "/nowhere")) {
            try (var connection = gateway.connect()) {
                var response = connection.write(head.formatted(path, "")).read();

                assertThat(response.status()).as(path).isEqualTo(401);
            }
        }
        try (var connection = gateway.connect()) {
            var credential = "Authorization: Bearer %s\r\n".formatted(gateway.token(DemoParts.ACME));
            var response = connection.write(head.formatted(PAYMENT, credential)).read();

            assertThat(response.status()).isEqualTo(413);
            assertThat(gateway.recordOf(response.field("X-Request-ID")).field("event.reason"))
                    .isEqualTo(Reason.EDGE_BODY_TOO_LARGE.code());
        }
        assertThat(gateway.parts().payments().requests()).isEqualTo(before);
    }

    @Test
    void a_path_that_readers_disagree_about_is_refused() throws Exception {
        assertRefused(
                "GET /v1/tenants/globex/payments/..%2f..%2facme/payments/42 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                Reason.EDGE_PATH_AMBIGUOUS);
        assertRefused(
                "GET /v1/tenants/globex/../acme/payments/42 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                Reason.EDGE_PATH_AMBIGUOUS);
        assertRefused("GET /v1//orders/1 HTTP/1.1\r\nHost: localhost\r\n\r\n", Reason.EDGE_PATH_AMBIGUOUS);
    }

    @Test
    void a_folded_header_is_refused() throws Exception {
        assertRefused("GET /status HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n", Reason.EDGE_HEADER_MALFORMED);
    }

    @Test
    void a_host_that_nobody_configured_is_not_found() throws Exception {
        assertRefused("GET /status HTTP/1.1\r\nHost: other.example\r\n\r\n", Reason.EDGE_HOST_UNKNOWN);
    }

    @Test
    void two_hosts_are_refused() throws Exception {
        assertRefused("GET /status HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", Reason.EDGE_HOST_AMBIGUOUS);
    }

    @Test
    void two_credentials_are_refused() throws Exception {
        assertRefused(
                "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a.b.c\r\nAuthorization: Bearer a.b.c\r\n\r\n"
                        .formatted(PAYMENT),
                Reason.AUTHENTICATE_JWT_AMBIGUOUS);
    }

    private static void assertRefused(String request, Reason reason) throws Exception {
        try (var connection = gateway.connect()) {
            var response = connection.write(request).read();

            assertThat(response.status()).isEqualTo(reason.status());
            assertThat(response.body()).contains(reason.publicCode().code());
            assertThat(gateway.recordOf(response.field("X-Request-ID")).field("event.reason"))
                    .isEqualTo(reason.code());
        }
    }
}
