// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jwt.SignedJWT;
import io.sallyport.app.demo.DemoParts;
import java.net.http.HttpRequest;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The two ports share nothing but the process. */
class PortsIT {
    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.shared();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/actuator",
                "/actuator/health",
                "/actuator/health/readiness",
                "/actuator/prometheus",
                "/actuator/gateway/routes",
                "/actuator/sallyport/revocations",
                "/actuator/env",
                "/readyz",
                "/livez"
            })
    void nothing_of_the_management_port_is_on_the_ingress_port(String path) throws Exception {
        var stranger = gateway.get(gateway.ingress(path));
        assertThat(stranger.statusCode()).isEqualTo(401);
        assertThat(stranger.body()).contains("urn:uuid:");

        var operator = gateway.get(gateway.ingress(path), apiTokenOfTheOperator());
        assertThat(operator.statusCode()).isEqualTo(404);
        assertThat(operator.body()).doesNotContain("UP", "jvm_");
    }

    @Test
    void anybody_sees_on_the_management_port_whether_the_gateway_lives_and_is_ready_and_no_more() throws Exception {
        for (var probe : new String[] {"/livez", "/readyz"}) {
            var response = gateway.get(gateway.management(probe));
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).isEqualTo("{\"status\":\"UP\"}");
        }
        for (var guarded :
                new String[] {"/actuator/health", "/actuator/prometheus", "/actuator/sallyport/revocations"}) {
            assertThat(gateway.get(gateway.management(guarded)).statusCode()).isEqualTo(401);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/actuator/gateway/routes",
                "/actuator/env",
                "/actuator/heapdump",
                "/v1/tenants/acme/payments/42",
                "/status"
            })
    void neither_routes_nor_dangerous_endpoints_are_on_the_management_port(String path) throws Exception {
        assertThat(gateway.get(gateway.management(path), managementToken()).statusCode())
                .isIn(403, 404);
    }

    @Test
    void a_token_for_the_api_does_not_open_the_management_port_nor_the_other_way_round() throws Exception {
        assertThat(gateway.get(gateway.management("/actuator/prometheus"), gateway.token(DemoParts.ACME))
                        .statusCode())
                .isEqualTo(401);
        assertThat(gateway.get(gateway.ingress("/v1/orders/1"), managementToken())
                        .statusCode())
                .isEqualTo(401);
    }

    @Test
    void an_operator_reads_metrics_of_decisions() throws Exception {
        gateway.recordOf(gateway.get(gateway.ingress("/v1/orders/1")));

        var metrics = gateway.get(gateway.management("/actuator/prometheus"), managementToken());

        assertThat(metrics.statusCode()).isEqualTo(200);
        assertThat(metrics.body().lines())
                .anyMatch(line -> line.startsWith("sallyport_decisions_total{")
                        && line.contains("reason=\"authenticate.jwt_missing\"")
                        && line.contains("route=\"orders\""));
    }

    @Test
    void an_operator_revokes_a_token_and_it_is_refused_from_then_on() throws Exception {
        var token = gateway.token(DemoParts.GLOBEX);
        var path = gateway.ingress("/v1/tenants/globex/payments/1");
        assertThat(gateway.get(path, token).statusCode()).isEqualTo(200);

        var claims = SignedJWT.parse(token).getJWTClaimsSet();
        var entry = "{\"iss\":\"%s\",\"jti\":\"%s\",\"reason\":\"laptop stolen\"}"
                .formatted(claims.getIssuer(), claims.getJWTID());
        var revoked = gateway.send(HttpRequest.newBuilder(gateway.management("/actuator/sallyport/revocations"))
                .header("Authorization", "Bearer " + managementToken())
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(entry)));
        assertThat(revoked.statusCode()).as(revoked.body()).isEqualTo(201);

        var refused = gateway.get(path, token);

        assertThat(refused.statusCode()).isEqualTo(401);
        assertThat(gateway.recordOf(refused).field("event.reason")).isEqualTo("revocation.token_revoked");
        assertThat(gateway.get(path, gateway.token(DemoParts.GLOBEX)).statusCode())
                .isEqualTo(200);
    }

    private static String managementToken() throws Exception {
        return gateway.client().token(DemoParts.OPERATOR, Map.of("resource", DemoParts.MANAGEMENT_AUDIENCE));
    }

    private static String apiTokenOfTheOperator() throws Exception {
        return gateway.token(DemoParts.OPERATOR);
    }
}
