// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.app.demo.DemoHttp;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Behind a load balancer that says by the PROXY protocol who its clients are. */
class ProxyProtocolIT {
    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.configured(configuration -> configuration.replace(
            "  listener:\n", "  listener:\n    proxy-protocol: required\n    trusted-proxies: [127.0.0.0/8]\n"));

    @Test
    void the_client_is_whom_the_header_names_and_not_whom_x_forwarded_for_does() throws Exception {
        try (var connection = connect("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n")) {
            var answer = connection
                    .write(
                            "GET /v1/tenants/acme/payments/42 HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n")
                    .read();

            assertThat(answer.status()).isEqualTo(401);
            assertThat(gateway.recordOf(answer.field("X-Request-ID")).json().toString())
                    .contains("192.0.2.7")
                    .doesNotContain("203.0.113.9");
        }
    }

    @Test
    void without_a_header_there_is_no_handshake() {
        assertThatThrownBy(() -> connect("").close()).isInstanceOf(IOException.class);
    }

    private static RawConnection connect(String header) throws IOException {
        return RawConnection.open(
                DemoHttp.tlsTrusting(gateway.parts().root()),
                gateway.session().gateway().port(),
                "http/1.1",
                "localhost",
                header);
    }
}
