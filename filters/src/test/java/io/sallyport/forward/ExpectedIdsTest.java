// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sallyport.config.InvalidSetting;
import io.spiffe.spiffeid.SpiffeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ExpectedIdsTest {
    /** Rows of go-spiffe's tests and of the standards; laid beside the clone, never copied into it. */
    private static final Path VECTORS = Path.of("..", "..", "shared", "vectors", "spiffe", "spiffe-vectors.json");

    @Test
    void an_exact_id_matches_itself_alone() {
        var pin = pin("spiffe://example.org/ns/orders/sa/orders-api");

        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/orders-api")))
                .isTrue();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/orders-api2")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/orders")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/orders-api/v2")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.com/ns/orders/sa/orders-api")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/Orders-Api")))
                .isFalse();
    }

    @Test
    void a_star_matches_one_whole_segment() {
        var pin = pin("spiffe://example.org/ns/*/sa/api");

        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/api")))
                .isTrue();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/sa/api"))).isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/a/b/sa/api")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://example.org/ns/orders/sa/other")))
                .isFalse();
        assertThat(pin.match(SpiffeId.parse("spiffe://other.test/ns/orders/sa/api")))
                .isFalse();
    }

    @Test
    void no_pin_matches_a_trust_domain_itself() {
        assertThat(pin("spiffe://example.org/ns/*").match(SpiffeId.parse("spiffe://example.org")))
                .isFalse();
    }

    @Test
    void pins_are_equal_whatever_their_order() {
        assertThat(pin("spiffe://a.test/x", "spiffe://a.test/y"))
                .isEqualTo(pin("spiffe://a.test/y", "spiffe://a.test/x"));
        assertThat(pin("spiffe://a.test/x")).isNotEqualTo(pin("spiffe://a.test/x", "spiffe://a.test/y"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spiffe://*/ns/orders/sa/api",
                "spiffe://*.example.org/ns/orders",
                "spiffe://example.org",
                "spiffe://example.org/*",
                "spiffe://example.org/*/*",
                "spiffe://example.org/ns/ord*",
                "spiffe://example.org/ns/*rs",
                "spiffe://example.org/ns/**",
                "spiffe://example.org/ns/orders/",
                "spiffe://example.org//orders",
                "spiffe://Example.org/ns/orders",
                "SPIFFE://example.org/ns/orders",
                "spiffe://example.org/ns/../orders",
                "spiffe://example.org:443/ns/orders",
                "spiffe://example.org/ns/orders?x=1",
                "https://example.org/ns/orders",
                " spiffe://example.org/ns/orders",
                ""
            })
    void what_is_not_the_id_of_a_workload_is_no_pin(String written) {
        assertThatThrownBy(() -> ExpectedId.parse(written))
                .isInstanceOfSatisfying(
                        InvalidSetting.class, e -> assertThat(e.value()).isEqualTo(written));
    }

    @Test
    void ids_are_read_as_the_public_vectors_read_them() throws IOException {
        var differences = vectors()
                .get("id_cases")
                .valueStream()
                .filter(row -> !row.has("note"))
                .filter(row -> row.get("valid").asBoolean()
                        != (StrictSpiffeId.parse(row.get("in").asString()) != null))
                .toList();

        assertThat(differences).isEmpty();
    }

    @Test
    void a_trust_domain_of_256_bytes_is_refused() throws IOException {
        var tooLong = vectors()
                .get("id_cases")
                .valueStream()
                .filter(row -> row.path("note").asString("").contains("go-spiffe does not enforce"))
                .map(row -> row.get("in").asString())
                .toList();

        assertThat(tooLong).isNotEmpty().allMatch(id -> StrictSpiffeId.parse(id) == null);
    }

    @Test
    void pins_match_as_the_public_vectors_match() throws IOException {
        var differences = vectors()
                .get("match_cases")
                .valueStream()
                .filter(ExpectedIdsTest::concernsWorkloads)
                .filter(row -> (row.get("match").asInt() == 1) != matches(row))
                .toList();

        assertThat(differences).isEmpty();
    }

    // Rows that pin, or present, a trust domain or anybody in it: such a pin cannot be written here.
    private static boolean concernsWorkloads(JsonNode row) {
        var matcher = row.get("matcher").asString();
        return !matcher.startsWith("member-of")
                && !matcher.equals("id spiffe://foo.test")
                && StrictSpiffeId.parseWorkload(row.get("id").asString()) != null;
    }

    private static boolean matches(JsonNode row) {
        var matcher = row.get("matcher").asString();
        var expected = matcher.startsWith("id ")
                ? pin(matcher.substring("id ".length()).replace(" (ours)", ""))
                : pin(
                        matcher.endsWith("(empty list)")
                                ? new String[0]
                                : Arrays.stream(matcher.substring("one-of ".length())
                                                .split(", "))
                                        .filter(id -> id.contains("/"))
                                        .map(id -> "spiffe://" + id)
                                        .toArray(String[]::new));
        return expected.match(SpiffeId.parse(row.get("id").asString()));
    }

    private static ExpectedIds pin(String... ids) {
        return ExpectedIds.of(Arrays.stream(ids).map(ExpectedId::parse).toList());
    }

    private static JsonNode vectors() throws IOException {
        assumeTrue(Files.exists(VECTORS), "no public vectors at " + VECTORS);
        return JsonMapper.shared().readTree(Files.readString(VECTORS));
    }
}
