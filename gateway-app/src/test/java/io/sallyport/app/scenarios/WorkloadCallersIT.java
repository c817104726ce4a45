// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.app.demo.Credentials;
import io.sallyport.app.demo.DemoCertificateAuthority;
import io.sallyport.app.demo.DemoHttp;
import io.sallyport.app.demo.DemoParts;
import io.sallyport.decision.Reason;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.io.IOException;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Workloads call the gateway, and prove themselves by their SVID: a certificate, or a token. */
class WorkloadCallersIT {
    private static final SpiffeId EXPORT = id("batch", "export");
    private static final SpiffeId AUDIT = id("batch", "audit");
    private static final String AUDIENCE = "https://batch.demo.sallyport.test";

    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.configured(WorkloadCallersIT::withWorkloads);

    private static String withWorkloads(String demo) {
        var upstream = demo.substring(demo.lastIndexOf("      upstream:"));
        return demo.replaceFirst("key: gateway-key.pem }", "key: gateway-key.pem, client-certificates: optional }")
                        .replace(
                                "  issuers:\n",
                                "  issuers:\n    mesh: { trust-domain: demo.sallyport.test, audiences: [\"%s\"] }\n"
                                        .formatted(AUDIENCE))
                + """
                batch:
                  match: { hosts: [localhost], path: "/v1/batch/**", methods: [GET] }
                  authenticate: { client-spiffe-ids: ["spiffe://demo.sallyport.test/ns/batch/sa/*"] }
                  authorize:
                    allow:
                      exports: "principal.kind == 'workload' && principal.spiffe_id.endsWith('/sa/export')"
                  rate-limits:
                    workload: { key: subject, limit: 3, per: 1m }
                """.indent(4)
                + upstream
                + """
                either:
                  match: { hosts: [localhost], path: "/v1/either/**", methods: [GET] }
                  authenticate: { issuers: [demo], client-spiffe-ids: ["%s"] }
                  authorize: { allow: { anyone: "true" } }
                """.formatted(EXPORT).indent(4)
                + upstream
                + """
                svids:
                  match: { hosts: [localhost], path: "/v1/svids/**", methods: [GET] }
                  authenticate: { issuers: [mesh] }
                  authorize: { allow: { exports: "principal.spiffe_id.endsWith('/sa/export')" } }
                """.indent(4)
                + upstream;
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void a_workload_gets_through_by_its_svid_and_is_in_the_record(Version version) throws Exception {
        var response = get("/v1/either/1", gateway.parts().svid(EXPORT), version, null);

        assertThat(response.statusCode()).isEqualTo(200);
        var record = gateway.recordOf(response);
        assertThat(record.field("sallyport.client_spiffe_id")).isEqualTo(EXPORT.toString());
        assertThat(record.field("user.id")).isNull();
    }

    @Test
    void rules_and_limits_know_a_workload_by_its_id() throws Exception {
        var export = gateway.parts().svid(EXPORT);
        assertThat(get("/v1/batch/1", export).statusCode()).isEqualTo(200);

        var audit = get("/v1/batch/1", gateway.parts().svid(AUDIT));
        assertThat(audit.statusCode()).isEqualTo(403);
        assertThat(gateway.recordOf(audit).field("event.reason")).isEqualTo(Reason.AUTHORIZE_NO_RULE_ALLOWED.code());

        get("/v1/batch/2", export);
        // Another SVID of the same workload is the same workload.
        get("/v1/batch/3", gateway.parts().svid(EXPORT));
        var fourth = get("/v1/batch/4", export);
        assertThat(fourth.statusCode()).isEqualTo(429);
        assertThat(gateway.recordOf(fourth).field("event.reason")).isEqualTo(Reason.RATELIMIT_EXCEEDED.code());
    }

    @Test
    void another_workload_is_refused_and_named() throws Exception {
        var response = get("/v1/batch/1", gateway.parts().svid(id("marketing", "newsletter")));

        assertThat(response.statusCode()).isEqualTo(401);
        assertThat(response.headers().firstValue("WWW-Authenticate")).contains("ClientCertificate realm=\"localhost\"");
        var record = gateway.recordOf(response);
        assertThat(record.field("event.reason")).isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_ID_DENIED.code());
        assertThat(record.field("sallyport.detail"))
                .isEqualTo(id("marketing", "newsletter").toString());
    }

    @Test
    void a_token_does_not_stand_in_for_a_certificate() throws Exception {
        var response = gateway.get(gateway.ingress("/v1/batch/1"), gateway.token(DemoParts.ACME));

        assertThat(response.statusCode()).isEqualTo(401);
        assertThat(gateway.recordOf(response).field("event.reason"))
                .isEqualTo(Reason.AUTHENTICATE_CERTIFICATE_MISSING.code());
    }

    @Test
    void where_both_will_do_the_token_decides() throws Exception {
        var svid = gateway.parts().svid(EXPORT);

        var withToken = get("/v1/either/1", svid, Version.HTTP_2, gateway.token(DemoParts.ACME));
        assertThat(withToken.statusCode()).isEqualTo(200);
        assertThat(gateway.recordOf(withToken).field("sallyport.client_spiffe_id"))
                .isNull();
        assertThat(gateway.recordOf(withToken).field("sallyport.client_id")).isNotNull();

        assertThat(get("/v1/either/1", svid, Version.HTTP_2, "x.y.z").statusCode())
                .isEqualTo(401);
    }

    @Test
    void a_certificate_of_another_authority_gets_no_connection() {
        var stranger = DemoCertificateAuthority.ofTrustDomain(DemoParts.TRUST_DOMAIN, InstantSource.system())
                .svid(EXPORT, Duration.ofMinutes(5));

        assertThatThrownBy(() -> get("/v1/either/1", stranger)).isInstanceOf(IOException.class);
    }

    @Test
    void a_jwt_svid_is_as_good_as_a_certificate_where_its_trust_domain_is_an_issuer() throws Exception {
        var response = gateway.get(gateway.ingress("/v1/svids/1"), jwtSvid(EXPORT, AUDIENCE));

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(gateway.recordOf(response).field("sallyport.client_spiffe_id"))
                .isEqualTo(EXPORT.toString());

        assertReason(
                gateway.get(gateway.ingress("/v1/svids/1"), jwtSvid(AUDIT, AUDIENCE)),
                Reason.AUTHORIZE_NO_RULE_ALLOWED);
        assertReason(
                gateway.get(gateway.ingress("/v1/svids/1"), jwtSvid(EXPORT, "https://other.demo.sallyport.test")),
                Reason.AUTHENTICATE_JWT_AUD_MISMATCH);
        assertReason(
                gateway.get(
                        gateway.ingress("/v1/svids/1"),
                        jwtSvid(
                                TrustDomain.parse("partner.test").newSpiffeId("ns", "batch", "sa", "export"),
                                AUDIENCE)),
                Reason.AUTHENTICATE_JWT_ISS_UNKNOWN);
        assertReason(
                gateway.get(gateway.ingress("/v1/svids/1"), gateway.token(DemoParts.ACME)),
                Reason.AUTHENTICATE_JWT_ISS_UNKNOWN);
    }

    @Test
    void a_jwt_authority_that_was_replaced_verifies_nothing_more() throws Exception {
        var path = gateway.ingress("/v1/svids/2");
        var old = jwtSvid(EXPORT, AUDIENCE);
        assertThat(gateway.get(path, old).statusCode()).isEqualTo(200);

        gateway.parts().workloadApi().rotateJwtAuthority();

        var renewed = jwtSvid(EXPORT, AUDIENCE);
        var deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (gateway.get(path, renewed).statusCode() != 200) {
            assertThat(System.nanoTime()).as("the bundle was not taken over").isLessThan(deadline);
        }
        // By its status: the records of all those attempts may have become one.
        assertThat(gateway.get(path, old).statusCode()).isEqualTo(401);
    }

    private static String jwtSvid(SpiffeId subject, String audience) {
        var end = InstantSource.system().instant().plusSeconds(300);
        return gateway.parts().workloadApi().jwtSvid(subject, audience, end);
    }

    private static void assertReason(HttpResponse<?> response, Reason reason) throws Exception {
        assertThat(response.statusCode()).isEqualTo(reason.status());
        assertThat(gateway.recordOf(response).field("event.reason")).isEqualTo(reason.code());
    }

    private static HttpResponse<String> get(String path, Credentials own) throws IOException, InterruptedException {
        return get(path, own, Version.HTTP_2, null);
    }

    private static HttpResponse<String> get(String path, Credentials own, Version version, String token)
            throws IOException, InterruptedException {
        var request =
                HttpRequest.newBuilder(gateway.ingress(path)).version(version).timeout(Duration.ofSeconds(20));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        try (var http = DemoHttp.clientTrusting(gateway.parts().root(), own)) {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    private static SpiffeId id(String namespace, String account) {
        return DemoParts.TRUST_DOMAIN.newSpiffeId("ns", namespace, "sa", account);
    }
}
