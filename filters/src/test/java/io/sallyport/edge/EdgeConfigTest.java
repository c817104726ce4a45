// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.config.RecordBinder;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.util.unit.DataSize;

/** The sections that edge reads from the file, and what is said of wrong ones. */
class EdgeConfigTest {
    private final Findings findings = new Findings();

    @Test
    void a_match_names_hosts_path_and_methods() {
        var match = requireNonNull(RecordBinder.bind(
                "{ hosts: [api.example.org, '192.0.2.1'], path: '/v1/{tenant}/**', methods: [GET, POST] }",
                MatchConfig.class,
                findings));

        assertThat(match.hosts()).containsExactly(new HostName("api.example.org"), new HostName("192.0.2.1"));
        assertThat(match.path()).isEqualTo(PathPattern.parse("/v1/{tenant}/**"));
        assertThat(match.methodSet()).containsExactlyInAnyOrder(HttpMethod.GET, HttpMethod.POST);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{ path: /, methods: [GET] } | hosts: (absent)",
                "{ hosts: [a], methods: [GET] } | path: (absent)",
                "{ hosts: [a], path: / } | methods: (absent)",
                "{ hosts: [], path: /, methods: [GET] } | hosts: [] (expected: at least one)",
                "{ hosts: [a, a], path: /, methods: [GET] } | hosts: a (expected: each once)",
                "{ hosts: ['*.a'], path: /, methods: [GET] } | hosts[0]: *.a (expected: one exact host name: wildcards are not matched",
                "{ hosts: [A], path: /, methods: [GET] } | hosts[0]: A (expected: a host name in lower case",
                "{ hosts: ['a:443'], path: /, methods: [GET] } | hosts[0]: a:443 (expected: a host name in lower case",
                "{ hosts: [a.], path: /, methods: [GET] } | hosts[0]: a. (expected: a host name in lower case",
                "{ hosts: [a_b], path: /, methods: [GET] } | hosts[0]: a_b (expected: a host name in lower case",
                "{ hosts: [''], path: /, methods: [GET] } | hosts[0]: \"\" (expected: a host name in lower case",
                "{ hosts: [a], path: a, methods: [GET] } | path: a (expected: a path such as",
                "{ hosts: [a], path: /, methods: [] } | methods: [] (expected: at least one)",
                "{ hosts: [a], path: /, methods: [GET, GET] } | methods: GET (expected: each once)",
                "{ hosts: [a], path: /, methods: [get] } | methods: get (expected: one of GET, HEAD, POST",
                "{ hosts: [a], path: /, methods: [TRACE] } | methods: TRACE (expected: one of GET, HEAD, POST",
                "{ hosts: [a], path: /, methods: [CONNECT] } | methods: CONNECT (expected: one of GET, HEAD, POST",
            })
    void what_is_wrong_with_a_match_is_said(String yaml, String finding) {
        RecordBinder.bind(yaml, MatchConfig.class, findings);

        assertThat(findings.all()).singleElement().asString().startsWith(finding);
    }

    @Test
    void nothing_has_to_be_said_about_edge() {
        var config = requireNonNull(RecordBinder.bind("{}", EdgeConfig.class, findings));

        assertThat(config).isEqualTo(new EdgeConfig(null, null, DataSize.ofMegabytes(10), List.of()));
        var settings = settingsOf(config);
        assertThat(settings.bodyLimit()).isEqualTo(new BodyLimit(10L << 20));
        assertThat(settings.identityHeaders()).isSameAs(IdentityHeaders.STANDARD);
    }

    @Test
    void headers_of_the_operators_own_are_identity_headers_too() {
        var config = requireNonNull(RecordBinder.bind(
                "{ max-body: 1KB, identity-headers: [X-Tenant-ID, X-Corp-User] }", EdgeConfig.class, findings));

        var settings = settingsOf(config);
        assertThat(settings.bodyLimit()).isEqualTo(new BodyLimit(1024));
        assertThat(settings.identityHeaders().contains("x-tenant-id")).isTrue();
        assertThat(settings.identityHeaders().contains("X-CORP-USER")).isTrue();
        assertThat(settings.identityHeaders().contains("x-forwarded-for")).isTrue();
        assertThat(settings.identityHeaders().contains("x-corp")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"Authorization", "cookie", "Host", "Content-Length", "X_Tenant", "X-*", "''"})
    void a_header_that_a_request_cannot_do_without_is_no_identity_header(String name) {
        RecordBinder.bind("{ identity-headers: ['%s'] }".formatted(name), EdgeConfig.class, findings);

        assertThat(findings.all())
                .singleElement()
                .satisfies(finding -> assertThat(finding.path()).isEqualTo("identity-headers"))
                .satisfies(finding -> assertThat(finding.value()).isEqualTo(name))
                .satisfies(finding -> assertThat(finding.expected()).startsWith("the name of a header"));
    }

    @Test
    void a_route_without_a_limit_of_its_own_has_the_gateways() {
        var settings = settingsOf(new EdgeConfig(null, null, DataSize.ofBytes(7), List.of()));
        var plain = Route.builder("a", "a", Route.Kind.UPSTREAM).build();
        var own = Route.builder("b", "a", Route.Kind.UPSTREAM)
                .settings(StageName.EDGE, BodyLimit.of(DataSize.ofBytes(0)))
                .build();

        assertThat(settings.bodyLimitOf(plain)).isEqualTo(new BodyLimit(7));
        assertThat(settings.bodyLimitOf(own)).isEqualTo(new BodyLimit(0));
    }

    private EdgeSettings settingsOf(EdgeConfig config) {
        var routes = requireNonNull(RouteTable.compile(List.of(), List.of(), findings.at("")));
        return EdgeSettings.compile(
                config,
                routes,
                List.of(),
                new HeadLimits(8192, 16_384),
                IdentityHeaders.with(config.identityHeaders()));
    }
}
