// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.pipeline.Route;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which route a request names, and which configurations name none for sure. */
class RouteTableTest {
    private static final String HOST = "api.example.org";
    private static final Route UNMATCHED =
            Route.builder("sallyport:unmatched", HOST, Route.Kind.UNMATCHED).build();

    private final Findings findings = new Findings();

    @ParameterizedTest
    @CsvSource({
        "/, root",
        "/orders, orders",
        "/orders/, orders",
        "/orders/latest, latest",
        "/orders/latest/, latest",
        "/orders/7, order",
        "/orders/7/, order",
        "/orders/latest/lines, lines",
        "/orders/7/lines, lines",
        "/orders/latest/lines/1, orders-rest",
        "/orders/7/other, orders-rest",
        "/orders/a/b/c/d, orders-rest",
        "/files, files",
        "/files/, files",
        "/files/a/b, files",
        "/x, single",
        "/x/y, rest",
        "/Orders, single",
        "/caf%C3%A9, cafe",
    })
    void the_most_specific_pattern_decides_whatever_the_order_of_the_routes(String path, String route) {
        var entries = new ArrayList<>(List.of(
                get("root", "/"),
                get("orders", "/orders"),
                get("latest", "/orders/latest"),
                get("order", "/orders/{id}"),
                get("lines", "/orders/{id}/lines"),
                get("orders-rest", "/orders/**"),
                get("files", "/files/**"),
                get("single", "/*"),
                get("cafe", "/caf%C3%A9"),
                get("rest", "/**")));

        for (int seed = 0; seed < 20; seed++) {
            Collections.shuffle(entries, new Random(seed));
            assertThat(find(entries, path, HttpMethod.GET).route().name()).isEqualTo(route);
        }
    }

    @Test
    void a_literal_segment_goes_before_a_variable_even_if_less_follows_it() {
        var entries = List.of(get("literal", "/a/**"), get("variable", "/{x}/b"));

        assertThat(find(entries, "/a/b", HttpMethod.GET).route().name()).isEqualTo("literal");
        assertThat(find(entries, "/c/b", HttpMethod.GET).route().name()).isEqualTo("variable");
    }

    @Test
    void a_branch_that_leads_nowhere_is_left_for_the_next() {
        var entries = List.of(get("literal", "/a/b/c"), get("variable", "/{x}/b/d"), get("rest", "/a/{y}/**"));

        assertThat(find(entries, "/a/b/d", HttpMethod.GET).route().name()).isEqualTo("rest");
        assertThat(find(entries, "/z/b/d", HttpMethod.GET).route().name()).isEqualTo("variable");
        assertThat(find(entries, "/z/b/c", HttpMethod.GET).route()).isSameAs(UNMATCHED);
    }

    @Test
    void the_method_chooses_among_the_routes_of_one_pattern() {
        var entries = List.of(
                entry("read", "/orders/{id}", HttpMethod.GET, HttpMethod.HEAD),
                entry("write", "/orders/{order}", HttpMethod.PUT));

        assertThat(find(entries, "/orders/7", HttpMethod.HEAD).route().name()).isEqualTo("read");
        var write = find(entries, "/orders/7", HttpMethod.PUT);
        assertThat(write.route().name()).isEqualTo("write");
        assertThat(requireNonNull(write.pattern()).variablesOf("/orders/7")).isEqualTo(Map.of("order", "7"));
    }

    @Test
    void a_path_without_that_method_is_unmatched_and_says_which_it_has() {
        var entries = List.of(
                entry("read", "/orders/{id}", HttpMethod.GET, HttpMethod.HEAD),
                entry("write", "/orders/{id}", HttpMethod.PUT));

        var match = find(entries, "/orders/7", HttpMethod.DELETE);

        assertThat(match.route()).isSameAs(UNMATCHED);
        assertThat(match.pattern()).isNull();
        assertThat(match.allowedMethods()).containsExactlyInAnyOrder(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.PUT);
    }

    @Test
    void a_general_route_does_not_serve_a_method_that_the_specific_one_refuses() {
        var entries = List.of(get("admin", "/admin"), entry("rest", "/**", HttpMethod.POST));

        assertThat(find(entries, "/admin", HttpMethod.POST).allowedMethods()).containsExactly(HttpMethod.GET);
        assertThat(find(entries, "/admin/", HttpMethod.POST).route()).isSameAs(UNMATCHED);
    }

    @Test
    void methods_are_compared_in_their_case() {
        assertThat(find(List.of(get("a", "/a")), "/a", HttpMethod.valueOf("get"))
                        .route())
                .isSameAs(UNMATCHED);
    }

    @Test
    void a_path_without_routes_is_unmatched_and_has_no_methods() {
        var match = find(List.of(get("a", "/a/b")), "/a", HttpMethod.GET);

        assertThat(match.route()).isSameAs(UNMATCHED);
        assertThat(match.allowedMethods()).isEmpty();
    }

    @Test
    void hosts_have_their_own_routes() {
        var other =
                Route.builder("other", "other.example.org", Route.Kind.UPSTREAM).build();
        var otherUnmatched = Route.builder("sallyport:unmatched", "other.example.org", Route.Kind.UNMATCHED)
                .build();
        var table = requireNonNull(RouteTable.compile(
                List.of(get("a", "/a"), new RouteTable.Entry(other, PathPattern.parse("/a"), Set.of(HttpMethod.GET))),
                List.of(UNMATCHED, otherUnmatched),
                findings.at("sallyport.routes")));

        assertThat(requireNonNull(table.host("other.example.org"))
                        .find("/a", HttpMethod.GET)
                        .route())
                .isSameAs(other);
        assertThat(table.host("example.org")).isNull();
    }

    @ParameterizedTest
    @CsvSource({"/a/b, /a/b", "/a/{x}, /a/{y}", "/a/{x}, /a/*", "/a/**, /a/**", "/, /"})
    void two_routes_for_one_host_path_and_method_do_not_load_and_both_are_named(String first, String second) {
        var table = compile(List.of(
                entry("first", first, HttpMethod.GET, HttpMethod.POST),
                entry("second", second, HttpMethod.POST, HttpMethod.PUT)));

        assertThat(table).isNull();
        assertThat(findings.all())
                .containsExactly(new Finding(
                        "sallyport.routes.second.match",
                        "POST api.example.org" + second,
                        "what no other route takes; route first takes api.example.org" + first));
    }

    @Test
    void patterns_that_only_overlap_load() {
        assertThat(compile(List.of(get("a", "/a/b"), get("b", "/a/{x}"), get("c", "/a/**"), get("d", "/*/b"))))
                .isNotNull();
        assertThat(findings.isEmpty()).isTrue();
    }

    @Test
    void a_host_without_an_unmatched_route_is_a_bug() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RouteTable.compile(List.of(get("a", "/a")), List.of(), findings.at("")))
                .withMessageContaining("host api.example.org has no unmatched route");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RouteTable.compile(List.of(), List.of(UNMATCHED, UNMATCHED), findings.at("")));
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        RouteTable.compile(List.of(), List.of(get("a", "/a").route()), findings.at("")));
    }

    /** Ten thousand routes, and still each is found in a walk of the path's own segments. */
    @Test
    void each_of_ten_thousand_routes_is_found() {
        var entries = IntStream.range(0, 10_000)
                .mapToObj(i -> get("r" + i, "/v1/service-%d/{id}/part-%d".formatted(i % 500, i / 500)))
                .toList();
        var host = requireNonNull(requireNonNull(compile(entries)).host(HOST));

        for (int i = 0; i < 10_000; i++) {
            var path = "/v1/service-%d/x/part-%d".formatted(i % 500, i / 500);
            assertThat(host.find(path, HttpMethod.GET).route().name()).isEqualTo("r" + i);
        }
        assertThat(host.find("/v1/service-500/x/part-0", HttpMethod.GET).route())
                .isSameAs(UNMATCHED);
    }

    /** Against the simplest matcher there is: every pattern tried, the most specific kept. */
    @Test
    void the_trie_finds_what_trying_every_pattern_finds() {
        var random = new Random(11);
        var segments = List.of("a", "b", "c", "*", "{v}", "**");
        for (int round = 0; round < 3_000; round++) {
            var patterns = Stream.generate(() -> randomPattern(random, segments))
                    .limit(1 + random.nextInt(12))
                    .filter(pattern -> pattern.indexOf("**") < 0 || pattern.indexOf("**") == pattern.length() - 2)
                    .map(pattern -> pattern.replace("{v}", "*"))
                    .distinct()
                    .toList();
            var entries =
                    patterns.stream().map(pattern -> get(pattern, pattern)).toList();
            if (entries.isEmpty()) {
                continue;
            }
            var host = requireNonNull(requireNonNull(compile(entries)).host(HOST));
            for (int i = 0; i < 10; i++) {
                var path = randomPattern(random, List.of("a", "b", "c", "d"));
                var match = host.find(path, HttpMethod.GET);
                assertThat(match.pattern() == null ? null : match.route().name())
                        .as("%s in %s", path, patterns)
                        .isEqualTo(mostSpecific(patterns, path));
            }
        }
    }

    @Test
    void a_table_made_after_another_finds_what_one_made_alone_finds() {
        var random = new Random(12);
        var segments = List.of("a", "b", "*", "**");
        var all = Stream.generate(() -> randomPattern(random, segments))
                .limit(300)
                .filter(pattern -> pattern.indexOf("**") < 0 || pattern.indexOf("**") == pattern.length() - 2)
                .distinct()
                .map(pattern -> get(pattern, pattern))
                .toList();
        RouteTable table = null;
        for (int round = 0; round < 300; round++) {
            var entries = all.stream().filter(_ -> random.nextInt(3) > 0).toList();
            table = requireNonNull(RouteTable.compile(entries, List.of(UNMATCHED), table, findings.at("routes")));
            var host = requireNonNull(table.host(HOST));
            var alone = requireNonNull(requireNonNull(compile(entries)).host(HOST));
            for (int i = 0; i < 20; i++) {
                var path = randomPattern(random, List.of("a", "b", "d"));
                assertThat(host.find(path, HttpMethod.GET)).isEqualTo(alone.find(path, HttpMethod.GET));
                assertThat(host.find(path, HttpMethod.PUT)).isEqualTo(alone.find(path, HttpMethod.PUT));
            }
        }
    }

    @Test
    void a_table_made_after_another_shares_with_it_what_leads_to_the_same_routes() {
        var kept = IntStream.range(0, 100).mapToObj(i -> get("r" + i, "/v1/service-%d/{id}/**".formatted(i)));
        var entries = kept.toList();
        var before = requireNonNull(compile(entries));

        var same = RouteTable.compile(entries, List.of(UNMATCHED), before, findings.at("routes"));

        assertThat(requireNonNull(requireNonNull(same).host(HOST)).root())
                .isSameAs(requireNonNull(before.host(HOST)).root());
    }

    private static String randomPattern(Random random, List<String> segments) {
        var pattern = new StringBuilder();
        for (int i = random.nextInt(4); i >= 0; i--) {
            pattern.append('/').append(segments.get(random.nextInt(segments.size())));
        }
        return pattern.toString();
    }

    private static @Nullable String mostSpecific(List<String> patterns, String path) {
        return patterns.stream()
                .filter(pattern -> path.matches(pattern.replace("/**", "(/.*)?").replace("/*", "/[^/]+")))
                .max((left, right) -> rank(left).compareTo(rank(right)))
                .orElse(null);
    }

    /** Compared as text, segment by segment: literal over variable over the end over the rest. */
    private static String rank(String pattern) {
        var rank = new StringBuilder();
        for (var segment : pattern.substring(1).split("/", -1)) {
            rank.append(segment.equals("**") ? '0' : segment.equals("*") ? '2' : '3');
        }
        return rank.append('1').toString();
    }

    private RouteTable.Match find(List<RouteTable.Entry> entries, String path, HttpMethod method) {
        return requireNonNull(requireNonNull(compile(entries)).host(HOST)).find(path, method);
    }

    private @Nullable RouteTable compile(List<RouteTable.Entry> entries) {
        return RouteTable.compile(entries, List.of(UNMATCHED), findings.at("sallyport.routes"));
    }

    private static RouteTable.Entry get(String name, String path) {
        return entry(name, path, HttpMethod.GET);
    }

    private static RouteTable.Entry entry(String name, String path, HttpMethod... methods) {
        return new RouteTable.Entry(
                Route.builder(name, HOST, Route.Kind.UPSTREAM).build(), PathPattern.parse(path), Set.of(methods));
    }
}
