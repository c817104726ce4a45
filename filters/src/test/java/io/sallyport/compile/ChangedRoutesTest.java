// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.sun.management.ThreadMXBean;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSet;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.authenticate.keys.NoKeys;
import io.sallyport.config.Bound;
import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.config.RecordBinder;
import io.sallyport.config.YamlDocument;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.fuzz.Corpus;
import io.sallyport.pipeline.Route;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a reload of many routes reads, compiles and keeps. */
final class ChangedRoutesTest {
    private static final int ROUTES = 1_000;

    // Bytes for each of the routes, of 300 characters: the file's content twice, and a place in the new tables.
    private static final int ONE_CHANGED = 3_500;
    // Its tree, its section and what it is compiled to as well, once: it was seven times as much, in 2 compilations.
    private static final int ALL_CHANGED = 75_000;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final IssuerLifecycle LIFECYCLE = new IssuerLifecycle() {
        @Override
        public void prefetch(Collection<Issuer> issuers) {}

        @Override
        public void await(Collection<Issuer> issuers) {}

        @Override
        public void retain(Collection<Issuer> issuers) {}
    };

    @TempDir
    private Path folder;

    private final String file = file();
    private JwkSetSource keys = NoKeys.NO_KEYS;
    private Path path = Path.of("");

    @SuppressWarnings("NullAway.Init") // before each test
    private SnapshotSource snapshots;

    @SuppressWarnings("NullAway.Init") // before each test
    private ConfigurationReloader reloader;

    @BeforeEach
    void load() throws IOException {
        path = Files.writeString(folder.resolve("gateway.yaml"), file);
        var compiler = new SnapshotCompiler(
                (_, _, _) -> keys, (_, _, _) -> null, CryptoProvider.jdk(), StageModules.forChecking());
        var source = new ConfigurationFile(path, InstantSource.system());
        snapshots = new SnapshotSource(compiler.compile(Configuration.load(source)));
        reloader = new ConfigurationReloader(
                compiler, LIFECYCLE, snapshots, source, Runnable::run, new SimpleMeterRegistry());
    }

    private static String file() {
        var file = new StringBuilder("""
                sallyport:
                  listener: { port: 8443, insecure-plaintext: true }
                  management: { port: 8444, insecure-plaintext: true }
                  identity: { workload-api: "unix:/run/spire/agent.sock" }
                  issuers:
                    corp: { issuer: "https://idp.example.org", audiences: [api] }
                  stages:
                    edge: { max-body: 1MB }
                  routes:
                """);
        for (int i = 0; i < ROUTES; i++) {
            file.append("""
                        other-%d:
                          match: { hosts: [api.example.org], path: "/v1/other-%d/{id}/**", methods: [GET] }
                          authenticate: { issuers: [corp] }
                          authorize: { allow: { anyone: "true" } }
                          upstream: { uri: "https://other:8443", expected-ids: ["spiffe://example.org/other"] }
                    """.formatted(i, i).indent(0));
        }
        return file.toString();
    }

    @Test
    void a_route_that_did_not_change_is_taken_over_as_it_is_and_one_that_did_is_not() throws IOException {
        var before = operatorRoutes();
        apply(file.replace("/v1/other-7/", "/v2/other-7/"));

        var after = operatorRoutes();

        assertThat(after.keySet()).isEqualTo(before.keySet());
        after.forEach((name, route) -> {
            if (name.equals("other-7")) {
                assertThat(route).isNotSameAs(before.get(name));
            } else {
                assertThat(route).isSameAs(before.get(name));
            }
        });
    }

    @Test
    void a_name_that_one_route_begins_to_write_is_removed_on_every_other_route_too() throws IOException {
        apply(file.replaceFirst(
                "uri: \"https://other:8443\",",
                "uri: \"https://other:8443\", identity: { headers: { X-Corp-User: { value: token.subject } } },"));

        assertThat(operatorRoutes().values())
                .allSatisfy(
                        route -> assertThat(ForwardPlan.of(route).disclosure().removed())
                                .matches(removed -> removed.contains("x-corp--user")));
    }

    @Test
    void a_route_that_is_gone_is_gone() throws IOException {
        apply(file.replaceFirst("(?s)    other-7:.*?    other-8:", "    other-8:"));

        assertThat(operatorRoutes()).hasSize(ROUTES - 1).doesNotContainKey("other-7");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "max-body: 1MB     | max-body: 2MB",
                "audiences: [api]  | audiences: [other]",
                "corp: {           | more: { issuer: \"https://more.example.org\", audiences: [x] }\\n    corp: {",
            })
    void no_route_is_taken_over_when_something_else_changed(String from, String to) throws IOException {
        var before = operatorRoutes();
        apply(file.replace(from, to.replace("\\n", "\n")));

        assertThat(operatorRoutes())
                .allSatisfy((name, route) -> assertThat(route).isNotSameAs(before.get(name)));
    }

    /** As when the file of an issuer's certificate authorities has another content. */
    @Test
    void no_route_is_taken_over_when_the_keys_of_an_issuer_come_from_elsewhere() throws IOException {
        var before = operatorRoutes();
        keys = new JwkSetSource() {
            @Override
            public @Nullable JwkSet current(Instant now) {
                return null;
            }

            @Override
            public Refresh refresh(@Nullable String kid, Instant now) {
                return Refresh.Done.UNAVAILABLE;
            }
        };
        apply(file.replace("/v1/other-7/", "/v2/other-7/"));

        assertThat(operatorRoutes())
                .allSatisfy((name, route) -> assertThat(route).isNotSameAs(before.get(name)));
    }

    @Test
    void all_that_is_wrong_in_one_route_of_many_is_found_at_once_and_what_was_in_force_stays() throws IOException {
        var before = snapshots.inForce();
        Files.writeString(
                path,
                file.replace("path: \"/v1/other-7/{id}/**\", methods: [GET]", "path: x, methods: [GOT]")
                        .replace("/other-900/", "/other-900/{id}/"));

        assertThat(reloader.reload()).isEqualTo(ConfigurationReloader.Result.REFUSED);

        assertThat(reloader.status().findings())
                .extracting(Finding::line, Finding::path)
                .containsExactly(
                        tuple(46, "sallyport.routes.other-7.match.path"),
                        tuple(4511, "sallyport.routes.other-900.match.path"));
        assertThat(snapshots.inForce()).isSameAs(before);
    }

    @Test
    void a_changed_route_is_judged_beside_those_that_were_taken_over() throws IOException {
        Files.writeString(
                path, file.replaceFirst("(?s)(    other-900:.*?expected-ids: \\[[^]]*])", "$1, max-concurrent: 5"));

        assertThat(reloader.reload()).isEqualTo(ConfigurationReloader.Result.REFUSED);
        assertThat(reloader.status().findings())
                .extracting(Finding::path)
                .containsExactly("sallyport.routes.other-900.upstream");

        Files.writeString(path, file.replace("/v1/other-7/", "/v1/other-8/"));
        assertThat(reloader.reload()).isEqualTo(ConfigurationReloader.Result.REFUSED);
        assertThat(reloader.status().findings())
                .extracting(Finding::toString)
                .containsExactly("sallyport.routes.other-8.match: GET api.example.org/v1/other-8/{id}/**"
                        + " (expected: what no other route takes; route other-7 takes"
                        + " api.example.org/v1/other-8/{id}/**)");
    }

    @Test
    void a_reload_allocates_for_what_changed() throws IOException {
        var bytes = new long[3];
        for (int i = 0; i < bytes.length; i++) {
            Files.writeString(path, file.replace("/v1/other-7/", "/v%d/other-7/".formatted(i + 2)));
            bytes[i] = bytesOfReload();
        }
        assertThat(bytes[2] / ROUTES).isLessThan(ONE_CHANGED);

        for (int i = 0; i < bytes.length; i++) {
            Files.writeString(path, file.replace("/v1/", "/v%d/".formatted(i + 10)));
            bytes[i] = bytesOfReload();
        }
        assertThat(bytes[2] / ROUTES).isLessThan(ALL_CHANGED);
    }

    private long bytesOfReload() {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        var result = reloader.reload();
        long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
        assertThat(result).isEqualTo(ConfigurationReloader.Result.APPLIED);
        return bytes;
    }

    /** Of any file, read for the first time and after another: the settings and findings of the whole. */
    @Test
    void what_is_read_route_by_route_says_what_the_whole_says() throws IOException {
        var binder = new RecordBinder(Path.of(""));
        var random = new Random(4);
        var earlier = new Bound<?>[1];
        Corpus.of(ConfigurationFuzzTest.class).mutate(input -> {
            if (random.nextInt(8) != 0) {
                return;
            }
            var whole = new Findings();
            var document = YamlDocument.parse(input, whole);
            var expected = document == null ? null : binder.bind(document, GatewayFile.class, whole);
            var findings = new Findings();
            @SuppressWarnings("unchecked") // the last one of these
            var before = (Bound<GatewayFile>) earlier[0];
            var bound = binder.bind(input, GatewayFile.class, "sallyport", "routes", before, findings);
            assertThat(findings.all()).isEqualTo(whole.all());
            assertThat(bound == null ? null : bound.value()).isEqualTo(expected);
            if (bound != null && findings.isEmpty()) {
                earlier[0] = bound;
            }
        });
        assertThat(earlier[0]).as("some are right").isNotNull();
    }

    /** Thousands of routes have a few hundred upstreams, and are kept as long as they are in force. */
    @Test
    void what_routes_have_in_the_same_words_is_kept_once() {
        var upstream = section("other-7").upstream();
        assertThat(snapshots.inForce().settings().routes().values())
                .allSatisfy(section -> assertThat(section.upstream()).isSameAs(upstream))
                .doesNotHaveDuplicates();

        var targets = Collections.<UpstreamTarget>newSetFromMap(new IdentityHashMap<>());
        operatorRoutes()
                .values()
                .forEach(route -> targets.add(ForwardPlan.of(route).target()));
        assertThat(targets).hasSize(1);
    }

    @Test
    void the_same_words_in_another_order_are_in_another_order() throws IOException {
        var limits = new String[] {"a: %1$s, b: %1$s", "b: %1$s, a: %1$s", "b: %1$s, a: %1$s"};
        var text = file;
        for (int i = 0; i < limits.length; i++) {
            text = text.replaceFirst(
                    "( +)(match: .*other-%d/)".formatted(i),
                    "$1rate-limits: { %s }\n$1$2"
                            .formatted(limits[i].formatted("{ key: subject, limit: 1, per: 1m }")));
        }
        apply(text);

        assertThat(section("other-0").rateLimits().keySet()).containsExactly("a", "b");
        assertThat(section("other-1").rateLimits().keySet()).containsExactly("b", "a");
        assertThat(section("other-2").rateLimits()).isSameAs(section("other-1").rateLimits());
    }

    private RouteSection section(String name) {
        return Objects.requireNonNull(snapshots.inForce().settings().routes().get(name));
    }

    private void apply(String yaml) throws IOException {
        Files.writeString(path, yaml);
        assertThat(reloader.reload()).as("%s", reloader.status()).isEqualTo(ConfigurationReloader.Result.APPLIED);
    }

    private Map<String, Route> operatorRoutes() {
        return snapshots.get().routes().stream()
                .filter(route -> route.kind() == Route.Kind.UPSTREAM)
                .collect(Collectors.toMap(Route::name, Function.identity()));
    }
}
