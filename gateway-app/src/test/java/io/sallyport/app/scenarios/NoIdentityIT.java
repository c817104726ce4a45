// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.DemoSession;
import io.sallyport.app.demo.DemoHttp;
import io.sallyport.app.demo.DemoParts;
import io.sallyport.app.demo.FreePort;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The Workload API is there, but nobody has registered the gateway yet. */
class NoIdentityIT {
    private static DemoSession session;
    private static HttpClient http;

    @BeforeAll
    static void start() throws Exception {
        session = DemoSession.startUnregistered(FreePort.find());
        http = DemoHttp.clientTrusting(session.parts().root());
    }

    @AfterAll
    static void stop() {
        http.close();
        session.close();
    }

    @Test
    void without_an_svid_it_lives_is_not_ready_and_forwards_nothing_until_it_gets_one() throws Exception {
        var token = session.client().token(DemoParts.ACME, Map.of());

        assertThat(probe("/livez")).isEqualTo(200);
        assertThat(probe("/readyz")).isEqualTo(503);
        var refused = session.client().get("/v1/tenants/acme/payments/42", token);
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.headers().firstValue("Retry-After")).isPresent();
        assertThat(session.parts().payments().bytesReceived()).isZero();

        session.parts().rotateSvid();
        session.awaitReady();

        assertThat(session.client().get("/v1/tenants/acme/payments/42", token).status())
                .isEqualTo(200);
    }

    private static int probe(String path) throws Exception {
        var uri = session.parts().management().resolve(path);
        return http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }
}
