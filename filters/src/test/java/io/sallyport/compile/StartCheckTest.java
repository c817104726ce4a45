// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import io.sallyport.revocation.denylist.DenyListIndex;
import io.sallyport.revocation.journal.DenyListJournal;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is found of the files, directories and ports that a configuration names, without a start. */
final class StartCheckTest {
    private static final InstantSource NOW = InstantSource.fixed(Instant.parse("2026-11-22T12:00:00Z"));
    private static final TestCa CA = TestCa.of("example.org");
    private static final String FILE = """
            sallyport:
              listener:
                port: 0
                tls: { certificate: tls.crt, key: tls.key }
              management:
                port: 0
                tls: { certificate: management.crt, key: management.key }
              identity:
                files: { svid: svid.pem, key: svid.key, bundle: bundle.pem }
              stages:
                authenticate: { key-sets: key-sets }
                revocation: { journal: deny-list }
              decision-log:
                file: { path: log/decisions.json }
                pseudonym-key-file: pseudonyms
              routes:
                status:
                  match: { hosts: [api.example.org], path: /status, methods: [GET] }
                  authorize: public
                  upstream: { uri: "https://status:8443", expected-ids: ["spiffe://example.org/status"] }
            """;

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        CA.issue(new Leaf().dnsName("api.example.org")).writeTo(in("tls.crt"), in("tls.key"));
        CA.issue(new Leaf().dnsName("management")).writeTo(in("management.crt"), in("management.key"));
        CA.issue("/gateway").writeTo(in("svid.pem"), in("svid.key"));
        Files.writeString(in("bundle.pem"), TestCa.pemOf(List.of(CA.certificate())));
    }

    @Test
    void what_would_start_has_no_findings_and_nothing_is_made() throws IOException {
        var before = contents();

        assertThat(check(FILE)).isEmpty();
        assertThat(contents()).isEqualTo(before);
    }

    @Test
    void the_files_that_issuers_name_are_looked_at() throws IOException {
        Files.writeString(in("empty"), "\n");

        assertThat(check(FILE.replace("  stages:\n", """
                  issuers:
                    corp:
                      issuer: https://idp.example.org
                      audiences: [orders]
                      ca: nowhere.pem
                      jwks: { bearer-token-file: empty }
                      jwks-uri: https://idp.example.org/jwks
                      introspection: { uri: https://idp.example.org/ask, client-id: gateway, client-secret-file: none }
                  stages:
                """)))
                .satisfiesExactlyInAnyOrder(
                        finding -> assertThat(finding).contains("sallyport.issuers.corp.ca: "),
                        finding -> assertThat(finding).contains("sallyport.issuers.corp.jwks.bearer-token-file: "),
                        finding -> assertThat(finding)
                                .contains("sallyport.issuers.corp.introspection.client-secret-file: "));
    }

    @Test
    void everything_that_is_wrong_is_found_in_one_run() throws IOException {
        Files.delete(in("tls.key"));
        CA.issue("/another").writeTo(in("elsewhere"), in("management.key"));
        CA.issue(new Leaf().uris("spiffe://example.org/gateway").validUntil(Instant.parse("2026-11-22T11:59:59Z")))
                .writeTo(in("svid.pem"), in("svid.key"));
        Files.writeString(in("key-sets"), "");
        Files.writeString(in("deny-list"), "no journal\n\n");
        Files.writeString(in("log"), "");
        Files.writeString(in("pseudonyms"), "short");
        var wrong = FILE.replace("path: /status", "path: /status/../x").replace("[GET]", "[GET, GEHT, \"\"]");

        assertThat(check(wrong))
                .anyMatch(finding -> finding.contains(":4: sallyport.listener.tls.key: ")
                        && finding.contains("tls.key: there is no such file"))
                .anyMatch(finding -> finding.contains(":7: sallyport.management.tls.key: ")
                        && finding.contains("the key of another certificate"))
                .anyMatch(finding -> finding.contains(":9: sallyport.identity.files.svid: ")
                        && finding.contains("expired at 2026-11-22T11:59:59Z"))
                .anyMatch(finding -> finding.contains(":11: sallyport.stages.authenticate.key-sets: "))
                .anyMatch(finding -> finding.contains(":12: sallyport.stages.revocation.journal: ")
                        && finding.contains("is damaged at line 1"))
                .anyMatch(finding -> finding.contains(":14: sallyport.decision-log.file.path: ")
                        && finding.contains("no directory that can be written to"))
                .anyMatch(finding -> finding.contains(":15: sallyport.decision-log.pseudonym-key-file: "))
                .anyMatch(finding -> finding.contains(":18: sallyport.routes.status.match.path: "));
    }

    @Test
    void a_foreign_trust_bundle_is_found() throws IOException {
        Files.writeString(
                in("bundle.pem"), TestCa.pemOf(List.of(TestCa.of("example.org").certificate())));

        assertThat(check(FILE)).singleElement().asString().contains("identity.files.bundle", "does not vouch");
    }

    @Test
    void each_identity_file_that_is_missing_is_a_finding_of_its_own() throws IOException {
        Files.delete(in("svid.pem"));
        Files.delete(in("svid.key"));
        Files.delete(in("bundle.pem"));

        assertThat(check(FILE)).hasSize(3).allMatch(finding -> finding.contains("there is no such file"));
    }

    @Test
    void a_port_that_is_taken_is_a_finding() throws IOException {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var wrong = FILE.replace(
                    "port: 0\n    tls: { certificate: management",
                    "port: %d\n    tls: { certificate: management".formatted(taken.getLocalPort()));

            assertThat(check(wrong))
                    .singleElement()
                    .asString()
                    .contains("sallyport.management.port: %d: Address already in use".formatted(taken.getLocalPort()));
        }
    }

    @Test
    void a_journal_that_another_gateway_has_open_is_a_finding() throws IOException {
        var meters = new SimpleMeterRegistry();
        try (var _ = DenyListJournal.open(in("deny-list"), new DenyListIndex(meters), 10, NOW, meters)) {
            assertThat(check(FILE)).singleElement().asString().contains("stages.revocation.journal", "is locked");
        }
    }

    @Test
    void a_journal_that_is_gone_although_there_was_one_is_a_finding() throws IOException {
        var meters = new SimpleMeterRegistry();
        DenyListJournal.open(in("deny-list"), new DenyListIndex(meters), 10, NOW, meters)
                .close();
        Files.delete(in("deny-list"));

        assertThat(check(FILE)).singleElement().asString().contains("is gone, though there has been one");
    }

    private Path in(String name) {
        return folder.resolve(name);
    }

    private List<Path> contents() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(path -> !path.endsWith("gateway.yaml")).sorted().toList();
        }
    }

    private List<String> check(String yaml) throws IOException {
        var file = Files.writeString(in("gateway.yaml"), yaml);
        return ConfigurationCheck.checkStart(file, NOW).stream()
                .map(finding -> finding.in("gateway.yaml"))
                .toList();
    }
}
