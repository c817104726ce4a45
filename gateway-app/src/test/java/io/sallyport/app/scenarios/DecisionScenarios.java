// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.demo.DecisionRecords.Decision;
import io.sallyport.app.demo.DemoCase;
import io.sallyport.app.demo.DemoParts;
import io.sallyport.decision.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the gateway answers, what it records, and what the upstream sees of it: each question of the pipeline with a no, and a yes. On both ways forward. */
abstract class DecisionScenarios {
    private static final String PAYMENT = "/v1/tenants/acme/payments/42";
    private static final JsonMapper JSON = new JsonMapper();

    @RegisterExtension
    static final RunningGateway gateway = RunningGateway.shared();

    @ParameterizedTest
    @EnumSource(Version.class)
    void who_may_reaches_the_upstream_and_nobody_learns_the_token_there(Version version) throws Exception {
        var token = gateway.token(DemoParts.ACME);

        var response = gateway.send(HttpRequest.newBuilder(gateway.ingress(PAYMENT + "?page=2"))
                .version(version)
                .header("Authorization", "Bearer " + token)
                .header("X-Forwarded-For", "203.0.113.7")
                .header("X-Trace", "kept"));

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.version()).isEqualTo(version);
        var seen = JSON.readTree(response.body());
        assertThat(seen.get("upstream").asString()).isEqualTo("payments");
        assertThat(seen.get("caller").asString()).isEqualTo(DemoParts.GATEWAY_ID.toString());
        assertThat(seen.get("path").asString()).isEqualTo(PAYMENT + "?page=2");
        var headers = seen.get("headers");
        assertThat(header(headers, "Authorization")).isNull();
        assertThat(String.valueOf(header(headers, "X-Forwarded-For"))).doesNotContain("203.0.113.7");
        assertThat(header(headers, "X-Trace")).isEqualTo("kept");
        assertThat(headers.toString()).doesNotContain(token);

        var record = gateway.recordOf(response);
        assertThat(record.field("event.outcome")).isEqualTo("success");
        assertThat(record.field("event.reason")).isNull();
        assertThat(record.field("http.response.status_code")).isEqualTo("200");
        assertThat(record.field("url.path")).isEqualTo(PAYMENT);
        assertThat(record.field("sallyport.route")).isEqualTo("payments");
        // With client credentials the client is the subject, whom no record names.
        assertThat(record.field("sallyport.client_id")).isNotNull().isEqualTo(record.field("user.id"));
        assertThat(record.json().toString()).doesNotContain(DemoParts.ACME);
        // From the manifest of the library's jar: this one sees that it was packed.
        assertThat(record.field("service.version")).matches("[0-9].*");
        assertThat(record.json().toString()).doesNotContain(token).doesNotContain("page=2");
    }

    @Test
    void a_body_arrives_whole() throws Exception {
        var response = gateway.send(HttpRequest.newBuilder(gateway.ingress("/v1/tenants/acme/payments/new"))
                .header("Authorization", "Bearer " + gateway.token(DemoParts.ACME))
                .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[100_000])));

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(JSON.readTree(response.body()).get("body_bytes").asInt()).isEqualTo(100_000);
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void nobody_in_particular_is_asked_for_a_token_and_told_where_to_get_one(Version version) throws Exception {
        var response = send(DemoCase.NO_TOKEN, version);

        assertRefused(response, Reason.AUTHENTICATE_JWT_MISSING, "payments");
        // RFC 6750 section 3.1: no error code for who did not try.
        assertThat(response.headers().allValues("WWW-Authenticate"))
                .singleElement()
                .asString()
                .startsWith("Bearer ")
                .contains("resource_metadata=\"" + gateway.ingress("/.well-known/oauth-protected-resource"))
                .doesNotContain("error=");
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void an_expired_token_is_refused(Version version) throws Exception {
        var response = send(DemoCase.EXPIRED, version);

        assertRefused(response, Reason.AUTHENTICATE_JWT_EXPIRED, "payments");
        assertInvalidToken(response);
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void a_token_for_another_audience_is_refused(Version version) throws Exception {
        var response = send(DemoCase.WRONG_AUDIENCE, version);

        assertRefused(response, Reason.AUTHENTICATE_JWT_AUD_MISMATCH, "payments");
        assertInvalidToken(response);
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void a_forged_signature_is_refused_and_the_token_of_another_does_not_appear_in_the_record(Version version)
            throws Exception {
        var response = send(DemoCase.FORGED_SIGNATURE, version);

        var record = assertRefused(response, Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID, "payments");
        assertInvalidToken(response);
        // Nothing unverified becomes a principal.
        assertThat(record.field("user.id")).isNull();
        assertThat(record.field("sallyport.client_id")).isNull();
    }

    /** RFC 6750 section 3.1. Clients ask for a new token on 401 alone. */
    @ParameterizedTest
    @ValueSource(strings = {"abc.def", "undefined", "e30.e30.AA=", "opaque"})
    void a_malformed_token_is_one_that_the_client_has_to_replace(String token) throws Exception {
        var response = gateway.get(gateway.ingress(PAYMENT), token);

        var record = assertRefused(response, Reason.AUTHENTICATE_JWT_MALFORMED, "payments");
        assertInvalidToken(response);
        assertThat(record.field("sallyport.detail")).startsWith("the token");
    }

    @Test
    void so_is_one_that_is_encrypted_or_too_long() throws Exception {
        // {"alg":"dir","enc":"A256GCM"}
        var encrypted = gateway.get(gateway.ingress(PAYMENT), "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..iv.text.tag");
        assertRefused(encrypted, Reason.AUTHENTICATE_JWT_ENCRYPTED, "payments");
        assertInvalidToken(encrypted);

        var tooLong = gateway.get(gateway.ingress(PAYMENT), gateway.token(DemoParts.ACME) + "A".repeat(12_288));
        assertRefused(tooLong, Reason.AUTHENTICATE_JWT_TOO_LONG, "payments");
        assertInvalidToken(tooLong);
    }

    /** As somebody has in 157 groups of Entra ID. */
    @ParameterizedTest
    @EnumSource(Version.class)
    void a_token_of_eleven_kilobytes_is_a_token_like_any_other(Version version) throws Exception {
        var groups =
                Stream.generate(UUID::randomUUID).limit(195).map(UUID::toString).toList();
        var token = gateway.parts().issuer().mint(DemoParts.ACME, DemoParts.AUDIENCE, Map.of("groups", groups));
        assertThat(token.length()).isBetween(10_000, 12_288);

        var response = gateway.send(HttpRequest.newBuilder(gateway.ingress(PAYMENT))
                .version(version)
                .header("Authorization", "Bearer " + token));

        assertThat(response.statusCode()).isEqualTo(200);
    }

    @Test
    void two_credentials_are_a_bad_request() throws Exception {
        var token = gateway.token(DemoParts.ACME);

        var response = gateway.send(HttpRequest.newBuilder(gateway.ingress(PAYMENT))
                .header("Authorization", "Bearer " + token)
                .header("Authorization", "Bearer " + token));

        assertRefused(response, Reason.AUTHENTICATE_JWT_AMBIGUOUS, "payments");
        assertThat(response.headers().firstValue("WWW-Authenticate").orElseThrow())
                .contains("error=\"invalid_request\"");
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void another_tenant_is_refused_and_the_record_says_who_it_was(Version version) throws Exception {
        var response = send(DemoCase.OTHER_TENANT, version);

        var record = assertRefused(response, Reason.AUTHORIZE_NO_RULE_ALLOWED, "payments");
        assertThat(record.field("sallyport.client_id")).isEqualTo(record.field("user.id"));
        assertThat(record.field("rule.name")).isEqualTo("[\"payers\"]");
        assertThat(record.field("user.id")).isNotNull().isNotEqualTo(DemoParts.GLOBEX);
    }

    @Test
    void too_many_requests_are_told_when_to_come_back() throws Exception {
        var token = gateway.token(DemoParts.GLOBEX);
        HttpResponse<String> response = gateway.get(gateway.ingress("/v1/orders/1"), token);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("RateLimit").orElseThrow()).startsWith("\"user\";r=4;");
        assertThat(response.headers().firstValue("RateLimit-Policy").orElseThrow())
                .startsWith("\"user\";q=5;w=10");

        for (int sent = 1; sent <= 5; sent++) {
            response = gateway.get(gateway.ingress("/v1/orders/1"), token);
        }

        var problem = JSON.readTree(response.body());
        assertThat(response.statusCode()).isEqualTo(429);
        assertThat(problem.get("type").asString())
                .isEqualTo("https://iana.org/assignments/http-problem-types#quota-exceeded");
        assertThat(problem.get("violated-policies").toString()).isEqualTo("[\"user\"]");
        assertThat(response.headers().firstValueAsLong("Retry-After").orElseThrow())
                .isBetween(1L, 10L);
        var record = gateway.recordOf(response);
        assertThat(record.field("event.reason")).isEqualTo(Reason.RATELIMIT_EXCEEDED.code());
        assertThat(record.field("sallyport.route")).isEqualTo("orders");
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void a_risky_request_is_asked_to_step_up_and_let_in_when_it_has(Version version) throws Exception {
        var response = send(DemoCase.RISKY, version);

        assertThat(response.statusCode()).isEqualTo(401);
        // RFC 9470 section 3.
        assertThat(response.headers().firstValue("WWW-Authenticate").orElseThrow())
                .startsWith("Bearer ")
                .contains("error=\"insufficient_user_authentication\"", "acr_values=\"phr\"", "max_age=\"300\"");
        assertProblem(response, "step_up_required");
        var record = gateway.recordOf(response);
        assertThat(record.field("event.reason")).isEqualTo(Reason.RISK_STEP_UP_REQUIRED.code());
        assertThat(Integer.parseInt(String.valueOf(record.field("sallyport.risk.score"))))
                .isGreaterThanOrEqualTo(60);
        assertThat(record.field("sallyport.risk.reasons")).contains("device_noncompliant");

        assertThat(send(DemoCase.RISKY_STEPPED_UP, version).statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void an_upstream_with_another_identity_gets_not_one_byte_of_the_request(Version version) throws Exception {
        var impostor = gateway.parts().impostor();

        var response = send(DemoCase.WRONG_UPSTREAM, version);

        var record = assertRefused(response, Reason.FORWARD_IDENTITY_MISMATCH, "ledger");
        assertThat(record.field("sallyport.upstream.expected_ids")).isEqualTo(DemoParts.LEDGER_ID.toString());
        assertThat(record.field("sallyport.upstream.spiffe_id")).isEqualTo(DemoParts.IMPOSTOR_ID.toString());
        // Neither is for the client to know.
        assertThat(response.body()).doesNotContain("spiffe");
        assertThat(impostor.bytesReceived()).isZero();
        assertThat(impostor.requests()).isZero();
    }

    @Test
    void a_public_route_is_open_and_forwards_no_credential() throws Exception {
        var response = gateway.get(gateway.ingress("/status"), gateway.token(DemoParts.ACME));

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(header(JSON.readTree(response.body()).get("headers"), "Authorization"))
                .isNull();
        assertThat(gateway.recordOf(response).field("user.id")).isNull();
    }

    @Test
    void a_stranger_cannot_tell_a_path_that_exists_from_one_that_does_not() throws Exception {
        var unknown = gateway.get(gateway.ingress("/v1/nothing/here"));
        var known = gateway.get(gateway.ingress("/v1/orders/1"));

        assertThat(unknown.statusCode()).isEqualTo(401).isEqualTo(known.statusCode());
        assertThat(gateway.recordOf(unknown).field("event.reason")).isEqualTo(Reason.AUTHENTICATE_JWT_MISSING.code());
    }

    @Test
    void a_known_caller_is_told_that_a_path_or_a_method_does_not_exist() throws Exception {
        var token = gateway.token(DemoParts.ACME);

        var path = gateway.get(gateway.ingress("/v1/nothing/here"), token);
        assertThat(path.statusCode()).isEqualTo(404);
        assertThat(gateway.recordOf(path).field("event.reason")).isEqualTo(Reason.AUTHORIZE_ROUTE_UNMATCHED.code());

        var method = gateway.send(HttpRequest.newBuilder(gateway.ingress(PAYMENT))
                .header("Authorization", "Bearer " + token)
                .DELETE());
        assertThat(method.statusCode()).isEqualTo(405);
        assertThat(method.headers().firstValue("Allow").orElseThrow().split(", ", -1))
                .contains("GET", "POST");
        assertThat(gateway.recordOf(method).field("event.reason"))
                .isEqualTo(Reason.AUTHORIZE_METHOD_NOT_ALLOWED.code());
    }

    @Test
    void the_metadata_that_a_challenge_points_to_names_the_issuer() throws Exception {
        var challenge = send(DemoCase.NO_TOKEN, Version.HTTP_2)
                .headers()
                .firstValue("WWW-Authenticate")
                .orElseThrow();
        var url = challenge.replaceAll(".*resource_metadata=\"([^\"]*)\".*", "$1");

        var response = gateway.get(URI.create(url));

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(JSON.readTree(response.body()).get("authorization_servers").toString())
                .isEqualTo("[\"" + gateway.parts().issuer().issuer() + "\"]");
    }

    private static HttpResponse<String> send(DemoCase demoCase, Version version)
            throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(gateway.ingress(demoCase.path())).version(version);
        var token = gateway.client().obtain(demoCase.credential());
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        var response = gateway.send(request);
        assertThat(response.version()).isEqualTo(version);
        return response;
    }

    private static Decision assertRefused(HttpResponse<String> response, Reason reason, String route)
            throws IOException, InterruptedException {
        assertThat(response.statusCode()).isEqualTo(reason.status());
        assertProblem(response, reason.publicCode().code());
        assertThat(response.body()).doesNotContain(reason.code());
        var record = gateway.recordOf(response);
        assertThat(record.field("event.outcome")).isEqualTo("failure");
        assertThat(record.field("event.reason")).isEqualTo(reason.code());
        assertThat(record.field("http.response.status_code")).isEqualTo(String.valueOf(reason.status()));
        assertThat(record.field("sallyport.route")).isEqualTo(route);
        assertThat(record.field("sallyport.stage")).isEqualTo(reason.origin());
        return record;
    }

    private static void assertProblem(HttpResponse<String> response, String publicCode) {
        assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
        var problem = JSON.readTree(response.body());
        assertThat(problem.get("type").asString()).endsWith("/" + publicCode);
        assertThat(problem.get("status").asInt()).isEqualTo(response.statusCode());
        assertThat(problem.get("instance").asString())
                .isEqualTo("urn:uuid:"
                        + response.headers().firstValue("X-Request-ID").orElseThrow());
    }

    private static void assertInvalidToken(HttpResponse<String> response) {
        assertThat(response.headers().firstValue("WWW-Authenticate").orElseThrow())
                .startsWith("Bearer ")
                .contains("error=\"invalid_token\"");
    }

    /** Whatever case its name arrived in: over HTTP/2 it is lower. */
    static @Nullable String header(JsonNode headers, String name) {
        return headers.propertyStream()
                .filter(header -> header.getKey().equalsIgnoreCase(name))
                .map(header -> header.getValue().asString())
                .findFirst()
                .orElse(null);
    }
}
