// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.demo.DemoParts;
import io.sallyport.decision.Reason;
import java.net.http.HttpRequest;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

@ThroughFilters
class DecisionsThroughFiltersIT extends DecisionScenarios {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String PATH = "/filtered/acme/payments/42";

    @Test
    void every_route_of_this_gateway_goes_through_its_filter() throws Exception {
        var response = gateway.get(gateway.ingress("/status"));

        assertThat(response.headers().allValues(ThroughFilters.FIELD)).containsExactly("filters");
    }

    @Test
    void filters_change_path_parameters_and_headers_of_what_was_permitted() throws Exception {
        var response = gateway.send(
                request(PATH + "?q=1").header("X-Internal", "from outside").header("X-Tenant", "globex"));

        assertThat(response.statusCode()).isEqualTo(200);
        var seen = JSON.readTree(response.body());
        assertThat(seen.get("path").asString()).isEqualTo("/of/acme/42?q=1&page=2");
        assertThat(header(seen.get("headers"), "X-Tenant")).isEqualTo("globex, acme");
        assertThat(header(seen.get("headers"), "X-Internal")).isNull();
        assertThat(response.headers().firstValue("Content-Type")).isEmpty();
        // What was authorized is what is recorded.
        assertThat(gateway.recordOf(response).field("url.path")).isEqualTo(PATH);
    }

    @Test
    void filters_see_neither_the_token_nor_change_what_says_who_calls() throws Exception {
        var response = gateway.send(request(PATH).header("X-Forwarded-For", "203.0.113.7"));

        var headers = JSON.readTree(response.body()).get("headers").toString();
        assertThat(headers).doesNotContain("203.0.113.7").doesNotContain("Bearer");
        assertThat(JSON.readTree(response.body()).get("caller").asString()).isEqualTo(DemoParts.GATEWAY_ID.toString());
    }

    @Test
    void a_body_that_a_filter_does_not_let_pass_is_a_denial_like_any_other() throws Exception {
        var before = gateway.parts().payments().requests();

        var response = gateway.send(request(PATH).POST(HttpRequest.BodyPublishers.ofByteArray(new byte[2_000])));

        assertThat(response.statusCode()).isEqualTo(413);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
        assertThat(gateway.recordOf(response).field("event.reason")).isEqualTo(Reason.EDGE_BODY_TOO_LARGE.code());
        assertThat(gateway.parts().payments().requests()).isEqualTo(before);
    }

    private static HttpRequest.Builder request(String path) throws Exception {
        return HttpRequest.newBuilder(gateway.ingress(path))
                .header("Authorization", "Bearer " + gateway.token(DemoParts.ACME));
    }
}
