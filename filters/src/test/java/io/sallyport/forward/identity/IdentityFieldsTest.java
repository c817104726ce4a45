// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.pipeline.FakeRequest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an upstream reads of a caller: one element stays one element. */
class IdentityFieldsTest {
    private final Findings findings = new Findings();
    private final HttpHeaders out =
            DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "alice@example.org | alice@example.org",
                "a,b | a%2Cb",
                "100% | 100%25",
                "\" a b \" | %20a b%20",
                "Zoë | Zo%C3%AB",
                "山 | %E5%B1%B1",
                "\"a;b=\\c\" | a;b=\\c",
            })
    void a_string_is_one_element_whatever_is_in_it(String value, String written) {
        assertThat(write(value, IdentityFieldConfig.Type.STRING, FieldEncoding.PERCENT))
                .isNull();
        assertThat(out.get("x-person")).isEqualTo(written);
        assertThat(write(value, IdentityFieldConfig.Type.LIST, FieldEncoding.PERCENT))
                .isNull();
        assertThat(out.get("x-person")).isEqualTo(written);
    }

    @Test
    void controls_frame_nothing() {
        assertThat(write("a\r\nX-Role: admin\0\t", IdentityFieldConfig.Type.STRING, FieldEncoding.PERCENT))
                .isNull();

        assertThat(out.get("x-person")).isEqualTo("a%0D%0AX-Role: admin%00%09");
    }

    @Test
    void each_element_of_a_list_is_one() {
        assertThat(write(List.of("a,b", "c", "ü", 7L, true), IdentityFieldConfig.Type.LIST, FieldEncoding.PERCENT))
                .isNull();

        assertThat(out.get("x-person")).isEqualTo("a%2Cb,c,%C3%BC,7,true");
    }

    @Test
    void an_extended_value_names_its_charset() {
        assertThat(write("Zoë, 100%", IdentityFieldConfig.Type.STRING, FieldEncoding.EXT_VALUE))
                .isNull();

        assertThat(out.get("x-person")).isEqualTo("UTF-8''Zo%C3%AB%2C%20100%25");
    }

    @ParameterizedTest
    @CsvSource({"3.0, 3", "3.5, 3.5", "-1.0, -1"})
    void a_number_is_written_as_it_was_sent(double number, String written) {
        assertThat(write(number, IdentityFieldConfig.Type.STRING, FieldEncoding.PERCENT))
                .isNull();

        assertThat(out.get("x-person")).isEqualTo(written);
    }

    @Test
    void what_the_caller_does_not_have_is_no_field() {
        assertThat(write(null, IdentityFieldConfig.Type.STRING, FieldEncoding.PERCENT))
                .isNull();
        assertThat(write(List.of(), IdentityFieldConfig.Type.LIST, FieldEncoding.PERCENT))
                .isNull();

        assertThat(out).isEmpty();
    }

    @Test
    void four_kilobytes_pass_and_more_are_refused() {
        assertThat(write("x".repeat(4_096), IdentityFieldConfig.Type.STRING, FieldEncoding.PERCENT))
                .isNull();
        out.clear();

        assertRefused(
                write("x".repeat(4_097), IdentityFieldConfig.Type.STRING, FieldEncoding.PERCENT),
                Reason.FORWARD_IDENTITY_TOO_LARGE,
                "X-Person: 4097 bytes (at most 4096)");
        // As it is written, and not as it was sent.
        assertRefused(
                write("ü".repeat(1_000), IdentityFieldConfig.Type.STRING, FieldEncoding.PERCENT),
                Reason.FORWARD_IDENTITY_TOO_LARGE,
                "X-Person: 6000 bytes (at most 4096)");
    }

    @Test
    void what_cannot_be_said_is_refused_and_the_record_says_why_without_the_value() {
        assertRefused(
                write(List.of("a", "b"), IdentityFieldConfig.Type.STRING, FieldEncoding.PERCENT),
                Reason.FORWARD_IDENTITY_UNDETERMINED,
                "X-Person: a list");
        assertRefused(
                write(Map.of("secret", "value"), IdentityFieldConfig.Type.STRING, FieldEncoding.PERCENT),
                Reason.FORWARD_IDENTITY_UNDETERMINED,
                "X-Person: neither");
        assertRefused(
                write(List.of(List.of("a")), IdentityFieldConfig.Type.LIST, FieldEncoding.PERCENT),
                Reason.FORWARD_IDENTITY_UNDETERMINED,
                "X-Person: neither");
        assertRefused(
                write(List.of("a", ""), IdentityFieldConfig.Type.LIST, FieldEncoding.PERCENT),
                Reason.FORWARD_IDENTITY_UNDETERMINED,
                "X-Person: an empty element");
        var failing = fields("X-Person", IdentityFieldConfig.Type.STRING, FieldEncoding.PERCENT, _ -> {
            throw new Expression.Undetermined("divide_by_zero");
        });
        assertRefused(
                failing.write(FakeRequest.get("/").context(), out),
                Reason.FORWARD_IDENTITY_UNDETERMINED,
                "X-Person: divide_by_zero");
    }

    private static void assertRefused(@Nullable Denial denial, Reason reason, String detail) {
        assertThat(denial).isNotNull();
        assertThat(Objects.requireNonNull(denial).reason()).isEqualTo(reason);
        assertThat(denial.evidence().get(Evidence.Key.DETAIL)).startsWith(detail);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Authorization",
                "Cookie",
                "DPoP",
                "Host",
                "Content-Length",
                "Transfer--Encoding",
                "Connection",
                "TE",
                "Trailer",
                "Upgrade",
                "Keep-Alive",
                "Proxy-Authorization",
                "Expect",
                "Via",
                "X-Request-ID",
                "X-Forwarded-For",
                "X-Forwarded-Host",
                "X-Forwarded--Prefix",
                "Txn-Token",
                "X-Sallyport-Assertion",
                "X-HTTP2-Path",
                "Sec-WebSocket-Key",
                "X_User",
                "X User",
                "X-Üser",
            })
    void a_field_that_is_not_the_operators_to_write_does_not_load(String name) {
        compile(Map.of(name, field()));

        assertThat(findings.all()).extracting(Finding::path).containsExactly("headers." + name);
    }

    @Test
    void two_names_that_upstreams_take_for_one_do_not_load() {
        var headers = new LinkedHashMap<String, IdentityFieldConfig>();
        headers.put("X-User", field());
        headers.put("x--user", field());

        compile(headers);

        assertThat(findings.all()).extracting(Finding::path).containsExactly("headers.x--user");
    }

    private static IdentityFieldConfig field() {
        return new IdentityFieldConfig("token.subject", IdentityFieldConfig.Type.STRING, FieldEncoding.PERCENT);
    }

    private void compile(Map<String, IdentityFieldConfig> headers) {
        IdentityFields.compile(headers, (_, _) -> _ -> "", findings.at("headers"));
    }

    private @Nullable Denial write(@Nullable Object value, IdentityFieldConfig.Type type, FieldEncoding encoding) {
        return fields("X-Person", type, encoding, _ -> value)
                .write(FakeRequest.get("/").context(), out);
    }

    private IdentityFields fields(
            String name, IdentityFieldConfig.Type type, FieldEncoding encoding, Expression expression) {
        var fields = IdentityFields.compile(
                Map.of(name, new IdentityFieldConfig("", type, encoding)), (_, _) -> expression, findings.at(""));
        return Objects.requireNonNull(fields);
    }
}
