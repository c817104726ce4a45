// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.PolicyName;
import io.sallyport.decision.PublicCode;
import io.sallyport.decision.Reason;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What clients are told, for every reason there is. */
class ProblemDocumentTest {
    private static final String ID = "019a0000-0000-7000-8000-000000000001";

    @ParameterizedTest
    @EnumSource(Reason.class)
    void every_reason_is_told_as_its_public_code_and_nothing_finer(Reason reason) {
        var text = render(denialFor(reason));

        var document = parse(text);
        assertThat(document.propertyNames()).containsExactly("type", "title", "status", "instance");
        assertThat(document.get("type").asString())
                .isEqualTo("https://sallyport.io/errors/" + reason.publicCode().code());
        assertThat(document.get("title").asString())
                .isEqualTo(reason.publicCode().title());
        assertThat(document.get("status").asInt()).isEqualTo(reason.status());
        assertThat(document.get("instance").asString()).isEqualTo("urn:uuid:" + ID);
        assertThat(text).doesNotContain(reason.code(), reason.meaning(), reason.remedy());
    }

    @Test
    void an_exceeded_quota_names_its_policies() {
        var text = render(new Denial.Throttled(
                Reason.RATELIMIT_EXCEEDED, Duration.ofSeconds(1), List.of(new PolicyName("a"), new PolicyName("b-2"))));

        assertThat(parse(text).get("type").asString())
                .isEqualTo("https://iana.org/assignments/http-problem-types#quota-exceeded");
        assertThat(parse(text).get("violated-policies"))
                .extracting(JsonNode::asString)
                .containsExactly("a", "b-2");
    }

    /** Clients may rely on these and on no other: one more is a change of the contract. */
    @Test
    void the_public_codes_are_few_and_known() {
        assertThat(PublicCode.values())
                .extracting(PublicCode::code)
                .containsExactlyInAnyOrder(
                        "unauthenticated",
                        "forbidden",
                        "step_up_required",
                        "rate_limited",
                        "bad_request",
                        "not_found",
                        "method_not_allowed",
                        "too_large",
                        "misdirected",
                        "unavailable",
                        "upstream_unavailable");
    }

    private static String render(Denial denial) {
        var document = ProblemDocument.of(denial);
        var body = document.render(UnpooledByteBufAllocator.DEFAULT, denial, ID);
        try {
            assertThat(body.readableBytes()).isEqualTo(document.length(denial)).isEqualTo(body.capacity());
            return body.toString(StandardCharsets.US_ASCII);
        } finally {
            body.release();
        }
    }

    private static JsonNode parse(String text) {
        return JsonMapper.shared().readTree(text);
    }

    private static Denial denialFor(Reason reason) {
        return switch (reason.status()) {
            case 401 -> new Denial.Unauthenticated(reason, List.of(Challenge.bearer(Map.of("realm", "r"))));
            case 403 -> new Denial.Forbidden(reason);
            case 405 -> new Denial.MethodNotAllowed(reason, Set.of());
            case 426 -> new Denial.UpgradeRequired(reason);
            case 429 -> new Denial.Throttled(reason, Duration.ofSeconds(1), List.of());
            case 502, 504 -> new Denial.UpstreamFailed(reason);
            case 503 -> new Denial.Unavailable(reason, Duration.ofSeconds(1));
            default -> new Denial.Rejected(reason);
        };
    }
}
