// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.demo.DemoParts;
import io.sallyport.decision.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Callers bring tokens that only the issuer can read, and the gateway asks it about them. Another issuer is away from the start. */
class OpaqueTokensIT {
    private static final String PAYMENT = "/v1/tenants/acme/payments/42";
    private static final Duration HOLDS_FOR = Duration.ofSeconds(1);

    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.configured(OpaqueTokensIT::withIntrospection);

    /** The demo's issuer, whose JWTs are still accepted, and the same issuer's opaque tokens. */
    private static String withIntrospection(String demo) {
        var issuer = demo.replaceFirst("(?s).* issuer: (https://\\S+)\n.*", "$1");
        return demo.replace("      max-token-lifetime: 1h\n", """
                max-token-lifetime: 1h
                jwks-uri: %1$s/jwks
                introspection:
                  uri: %1$s/introspect
                  client-id: %2$s
                  client-secret-file: %3$s
                  cache: 1s
                """.formatted(issuer, DemoParts.OPERATOR, secret())
                        .indent(6))
                .replace(
                        "  issuers:\n",
                        "  issuers:\n    partner: { issuer: \"https://localhost:1\", audiences: [partner] }\n");
    }

    private static String secret() {
        try {
            var file = Files.createTempFile("sallyport-it-", ".secret");
            file.toFile().deleteOnExit();
            return Files.writeString(file, "demo\n").toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void the_gateway_is_ready_without_the_issuer_that_is_away_and_health_names_it() throws Exception {
        assertThat(gateway.get(gateway.management("/readyz")).statusCode()).isEqualTo(200);

        var health = gateway.get(
                gateway.management("/actuator/health"),
                gateway.client().token(DemoParts.OPERATOR, Map.of("resource", DemoParts.MANAGEMENT_AUDIENCE)));
        assertThat(health.body())
                .contains("\"partner\":\"no keys; the last fetch failed: ", "\"demo\":\"keys present\"");
    }

    @Test
    void an_active_token_is_as_good_as_a_jwt() throws Exception {
        var response = get(gateway.parts().issuer().mintOpaque(DemoParts.ACME, DemoParts.AUDIENCE));

        assertThat(response.statusCode()).isEqualTo(200);
        var record = gateway.recordOf(response);
        assertThat(record.field("sallyport.client_id")).isNotNull().isEqualTo(record.field("user.id"));
        assertThat(record.field("sallyport.issuer")).isEqualTo("demo");

        // Of tenant globex: judged by the same rules.
        assertReason(
                get(gateway.parts().issuer().mintOpaque(DemoParts.GLOBEX, DemoParts.AUDIENCE)),
                Reason.AUTHORIZE_NO_RULE_ALLOWED);
        assertReason(
                get(gateway.parts().issuer().mintOpaque(DemoParts.ACME, DemoParts.OTHER_AUDIENCE)),
                Reason.AUTHENTICATE_JWT_AUD_MISMATCH);
    }

    @Test
    void a_jwt_of_the_same_issuer_is_verified_by_its_keys_and_never_asked_about() throws Exception {
        int before = gateway.parts().issuer().introspections();

        assertThat(get(gateway.token(DemoParts.ACME)).statusCode()).isEqualTo(200);
        assertReason(get("e30.e30.e30"), Reason.AUTHENTICATE_JWT_MALFORMED);

        assertThat(gateway.parts().issuer().introspections()).isEqualTo(before);
    }

    @Test
    void a_token_that_was_never_issued_is_asked_about_once_and_remembered() throws Exception {
        int before = gateway.parts().issuer().introspections();

        assertReason(get("never-issued"), Reason.AUTHENTICATE_TOKEN_INACTIVE);
        var again = get("never-issued");

        assertThat(again.statusCode()).isEqualTo(401);
        assertThat(again.headers().firstValue("WWW-Authenticate").orElseThrow()).contains("error=\"invalid_token\"");
        assertThat(gateway.parts().issuer().introspections()).isEqualTo(before + 1);
    }

    @Test
    void a_revoked_token_is_refused_when_the_issuers_word_has_run_out() throws Exception {
        var token = gateway.parts().issuer().mintOpaque(DemoParts.ACME, DemoParts.AUDIENCE);
        assertThat(get(token).statusCode()).isEqualTo(200);

        gateway.parts().issuer().revokeOpaque(token);

        var deadline = System.nanoTime() + HOLDS_FOR.plusSeconds(20).toNanos();
        var response = get(token);
        while (response.statusCode() == 200) {
            assertThat(System.nanoTime()).as("still accepted").isLessThan(deadline);
            response = get(token);
        }
        assertReason(response, Reason.AUTHENTICATE_TOKEN_INACTIVE);
    }

    private static HttpResponse<String> get(String token) throws Exception {
        return gateway.get(gateway.ingress(PAYMENT), token);
    }

    private static void assertReason(HttpResponse<?> response, Reason reason) throws Exception {
        assertThat(response.statusCode()).isEqualTo(reason.status());
        assertThat(gateway.recordOf(response).field("event.reason")).isEqualTo(reason.code());
    }
}
