// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.pipeline.CertificateNames;
import io.sallyport.pipeline.CertificateScope;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.StageName;
import io.sallyport.pipeline.TlsConnection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A connection is for the names of the certificate that its client was shown (RFC 9110 section 7.4, RFC 9113 section 9.1.1). */
class MisdirectedTest {
    private static final CertificateNames API = new CertificateNames(Set.of("api.example.org"), Set.of("pay.example"));
    private static final CertificateNames ADMIN = new CertificateNames(Set.of("admin.example.org"), Set.of());
    private static final CertificateNames OF_NOBODY = new CertificateNames(Set.of("localhost"), Set.of());

    private static final Snapshot SNAPSHOT =
            snapshot("api.example.org", "www.pay.example", "m.pay.example", "admin.example.org");

    @ParameterizedTest(name = "SNI {0}, Host {1}")
    @CsvSource({
        "api.example.org, admin.example.org",
        "www.pay.example, admin.example.org",
        "a.pay.example,   admin.example.org",
    })
    void another_host_than_the_connection_was_made_for_is_misdirected(String serverName, String host) {
        assertThat(verdict(serverName, host, new CertificateScope(API, List.of(ADMIN))))
                .isEqualTo(
                        new Verdict.Deny(new Denial.Rejected(Reason.EDGE_MISDIRECTED).with(Evidence.Key.DETAIL, host)));
    }

    @Test
    void it_is_misdirected_too_where_there_is_no_other_certificate_if_both_are_hosts_of_ours() {
        assertThat(verdict("api.example.org", "admin.example.org", new CertificateScope(API, List.of())))
                .isEqualTo(new Verdict.Deny(
                        new Denial.Rejected(Reason.EDGE_MISDIRECTED).with(Evidence.Key.DETAIL, "admin.example.org")));
    }

    @ParameterizedTest(name = "SNI {0}, Host {1}")
    @CsvSource({
        "api.example.org, api.example.org",
        "api.example.org, API.example.org:8443",
        "api.example.org, www.pay.example",
        "www.pay.example, m.pay.example",
        "www.pay.example, api.example.org",
        ",                admin.example.org",
    })
    void a_host_that_the_certificate_covers_passes_and_so_does_every_host_without_sni(
            @Nullable String serverName, String host) {
        assertThat(verdict(serverName, host, new CertificateScope(API, List.of(ADMIN))))
                .isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void a_client_that_asked_for_a_name_that_is_none_of_ours_has_said_nothing() {
        assertThat(verdict("localhost", "api.example.org", new CertificateScope(OF_NOBODY, List.of())))
                .isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void the_name_that_was_asked_for_passes_whatever_the_certificate_says() {
        assertThat(verdict("admin.example.org", "admin.example.org", new CertificateScope(OF_NOBODY, List.of(API))))
                .isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void a_certificate_that_is_none_of_host_names_says_nothing_of_them() {
        assertThat(verdict("api.example.org", "admin.example.org", null)).isEqualTo(Verdict.Pass.PASS);
    }

    @Test
    void an_unknown_host_is_a_404_as_ever() {
        assertThat(verdict("api.example.org", "unknown.example", new CertificateScope(API, List.of(ADMIN))))
                .isEqualTo(new Verdict.Deny(
                        new Denial.Rejected(Reason.EDGE_HOST_UNKNOWN).with(Evidence.Key.DETAIL, "unknown.example")));
    }

    private static Verdict verdict(@Nullable String serverName, String host, @Nullable CertificateScope scope) {
        return new EdgeStage(new SimpleMeterRegistry())
                .evaluate(FakeRequest.get("/")
                        .host(host)
                        .tls(new TlsConnection("TLSv1.3", serverName, null, false, scope))
                        .snapshot(SNAPSHOT)
                        .on(null)
                        .context());
    }

    private static Snapshot snapshot(String... hosts) {
        var routes = Stream.of(hosts)
                .map(host -> new RouteTable.Entry(
                        Route.builder("root", host, Route.Kind.UPSTREAM).build(),
                        PathPattern.parse("/"),
                        Set.of(HttpMethod.GET)))
                .toList();
        var unmatched = Stream.of(hosts)
                .map(host -> Route.builder("sallyport:unmatched", host, Route.Kind.UNMATCHED)
                        .build())
                .toList();
        var table = requireNonNull(RouteTable.compile(routes, unmatched, new Findings().at("sallyport.routes")));
        var settings = new EdgeSettings(
                table, List.of(), new HeadLimits(200, 400, 8), new BodyLimit(1000), IdentityHeaders.with(List.of()));
        return new Snapshot("test", List.of(), Map.of(StageName.EDGE, settings));
    }
}
