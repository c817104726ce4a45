// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.sallyport.authenticate.SharedVectors;
import io.sallyport.config.InvalidSetting;
import io.sallyport.forward.FakeWorkloadApi;
import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import io.sallyport.forward.TestCa.Svid;
import io.sallyport.identity.ExpectedId;
import io.sallyport.identity.ExpectedIds;
import io.sallyport.identity.StrictSpiffeId;
import io.sallyport.identity.TrustBundles;
import io.sallyport.workload.api.WorkloadApiSvidSource;
import io.spiffe.spiffeid.TrustDomain;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Every row of the public SPIFFE vectors: identifiers, matchers, X509-SVIDs. */
class SpiffeVectorsTest {
    private static final String ROWS = "spiffe/spiffe-vectors.json";
    private static final String PIN = "spiffe://example.org/workload-1";
    private static final Instant NOW = Instant.parse("2020-03-24T14:10:00Z");
    private static final TestCa CA = TestCa.of("example.org");
    private static final TestCa OTHER = TestCa.of("other.test");

    @TempDir
    Path directory;

    @Test
    void every_id_is_read_as_it_should_be() {
        var rows = SharedVectors.read(ROWS).get("id_cases");

        // One row may be either; the longest ID that is read here is the longest that may be made.
        var wrong = rows.valueStream()
                .filter(row -> row.get("valid").asBoolean()
                        != (StrictSpiffeId.parse(row.get("in").asString()) != null))
                .toList();

        assertThat(rows.size()).isEqualTo(558);
        assertThat(wrong).isEmpty();
    }

    @Test
    void a_pin_matches_whom_it_should_and_a_whole_trust_domain_cannot_be_pinned() {
        var rows = SharedVectors.read(ROWS).get("match_cases");
        int matched = 0;
        int unpinnable = 0;
        for (var row : rows) {
            var names = namesOf(row.get("matcher").asString());
            if (names == null
                    || names.stream()
                            .anyMatch(name ->
                                    !name.substring("spiffe://".length()).contains("/"))) {
                // Its own ID, or all of its members: no pin of a route says that (SPEC 4), so nobody matches it.
                var written = names == null ? List.of("spiffe://foo.test/*") : names;
                assertThatThrownBy(() -> pin(written)).isInstanceOf(InvalidSetting.class);
                unpinnable++;
                if (names == null) {
                    continue;
                }
            }
            var pin = pin(names.stream()
                    .filter(name -> name.substring("spiffe://".length()).contains("/"))
                    .toList());
            var id = StrictSpiffeId.parseWorkload(row.get("id").asString());
            var expected = row.get("match").asInt() == 1
                    && row.get("id").asString().substring("spiffe://".length()).contains("/");
            assertThat(id != null && pin.match(id)).as(row.toString()).isEqualTo(expected);
            matched += expected ? 1 : 0;
        }

        assertThat(rows.size()).isEqualTo(32);
        assertThat(matched).isEqualTo(4);
        assertThat(unpinnable).isEqualTo(18);
    }

    /** The IDs that a matcher of the vectors names; null for one that stands for every member of a trust domain. */
    private static @Nullable List<String> namesOf(String matcher) {
        if (matcher.startsWith("member-of")) {
            return null;
        }
        if (matcher.startsWith("id ")) {
            return List.of(matcher.substring("id ".length()).replace(" (ours)", ""));
        }
        return matcher.endsWith("(empty list)")
                ? List.of()
                : Arrays.stream(matcher.substring("one-of ".length()).split(", ", -1))
                        .map(name -> "spiffe://" + name)
                        .toList();
    }

    private static ExpectedIds pin(List<String> ids) {
        return ExpectedIds.of(ids.stream().map(ExpectedId::parse).toList());
    }

    @Test
    void every_x509_svid_is_judged_as_it_should_be() throws Exception {
        var rows = SharedVectors.read(ROWS).get("svid_cases");
        var cases = cases();
        var wrong = new ArrayList<String>();
        for (JsonNode row : rows) {
            var name = row.get("name").asString();
            var judged = cases.get(name);
            if (judged == null || judged.isAccepted() != row.get("accept").asBoolean()) {
                wrong.add(name);
            }
        }

        assertThat(rows.size()).isEqualTo(28).isEqualTo(cases.size());
        assertThat(wrong).isEmpty();
    }

    @FunctionalInterface
    private interface Case {
        boolean isAccepted() throws Exception;
    }

    /** Each row of the vectors, which say in words what to present, made. */
    private Map<String, Case> cases() {
        return Map.ofEntries(
                entry("valid leaf", () -> accepts(CA.issue("/workload-1"))),
                entry("empty chain", () -> accepts(List.of(), CA.bundle())),
                entry(
                        "bundle missing for the trust domain of the leaf",
                        () -> accepts(CA.issue("/workload-1").chain(), OTHER.bundle())),
                entry(
                        "no roots in the bundle",
                        () -> accepts(CA.issue("/workload-1").chain(), Map.of(CA.trustDomain(), Set.of()))),
                entry(
                        "leaf of domain1 signed by the CA of domain2, bundle of domain1 = CA2",
                        () -> accepts(
                                TestCa.of("example.org").issue("/workload-1").chain(), CA.bundle())),
                entry(
                        "bundle lookup must use the trust domain of the presented id, not the expected one",
                        () -> accepts(OTHER.issue(new Leaf().uris(PIN)).chain(), bundlesOf(CA, OTHER))),
                entry("URI SAN scheme sparfe", () -> accepts(leaf().uris("sparfe://example.org/workload-1"))),
                entry("no URI SAN", () -> accepts(leaf().uris())),
                entry("two URI SANs (even if equal)", () -> accepts(leaf().uris(PIN, PIN))),
                entry("leaf with basicConstraints CA=true", () -> accepts(leaf().ca())),
                entry("leaf with keyUsage keyCertSign", () -> accepts(usage(KeyUsage.keyCertSign))),
                entry("leaf with keyUsage cRLSign", () -> accepts(usage(KeyUsage.cRLSign))),
                entry("leaf without digitalSignature", () -> accepts(leaf().keyUsage(KeyUsage.keyAgreement))),
                entry("leaf without keyUsage extension", () -> accepts(leaf().keyUsage(null))),
                entry("intermediate without CA flag", () -> accepts(below(new Leaf().notCa()))),
                entry(
                        "intermediate without keyCertSign",
                        () -> accepts(below(new Leaf().ca().keyUsage(KeyUsage.cRLSign)))),
                entry("URI SAN empty", () -> accepts(leaf().uris(""))),
                entry("expired by one second", () -> accepts(leaf().validUntil(NOW.minusSeconds(1)))),
                entry("not yet valid", () -> accepts(leaf().validFrom(NOW.plusSeconds(1)))),
                entry("valid id, wrong path for the route", () -> accepts(CA.issue("/workload-2"))),
                entry(
                        "valid id in CN or DNS SAN only",
                        () -> accepts(leaf().uris().dnsName("example.org").commonName("workload-1"))),
                entry("DNS SAN also present", () -> accepts(leaf().dnsName("example.org"))),
                entry(
                        "EKU without serverAuth on the upstream",
                        () -> accepts(leaf().extendedKeyUsage(KeyPurposeId.id_kp_clientAuth))),
                entry(
                        "signing certificate (path-less id, CA) presented as leaf",
                        () -> accepts(List.of(CA.certificate()), CA.bundle())),
                entry(
                        "signing certificate whose URI SAN is a foreign trust domain",
                        () -> accepts(below(
                                new Leaf().ca().keyUsage(KeyUsage.keyCertSign).uris("spiffe://other.test")))),
                entry("SVID rotated while connections are open", () -> {
                    var trust = trustManager(CA.bundle());
                    var first = CA.issue("/workload-1");
                    var renewed = CA.issue("/workload-1");
                    return accepts(trust, first.chain()) && accepts(trust, renewed.chain());
                }),
                entry(
                        "bundle rotated: old CA removed",
                        () -> accepts(
                                CA.issue("/workload-1").chain(),
                                TestCa.of("example.org").bundle())),
                entry("Workload API stream closed", this::keepsItsSvid));
    }

    private boolean keepsItsSvid() {
        try (var api = FakeWorkloadApi.on(directory.resolve("agent.sock"));
                var source = WorkloadApiSvidSource.connect(api.uri(), InstantSource.system())) {
            api.serve(CA.issue("/gateway"), CA);
            await().until(() -> source.current() != null);
            api.goAway();
            return source.ready(Instant.now());
        }
    }

    private static Leaf leaf() {
        return new Leaf().uris(PIN);
    }

    private static Leaf usage(int more) {
        return leaf().keyUsage(KeyUsage.digitalSignature | more);
    }

    private static Svid below(Leaf authority) {
        return CA.intermediate(authority).issue("/workload-1");
    }

    private static Map<TrustDomain, Set<X509Certificate>> bundlesOf(TestCa one, TestCa other) {
        return Map.of(one.trustDomain(), Set.of(one.certificate()), other.trustDomain(), Set.of(other.certificate()));
    }

    private static boolean accepts(Leaf leaf) {
        return accepts(CA.issue(leaf));
    }

    private static boolean accepts(Svid svid) {
        return accepts(svid.chain(), CA.bundle());
    }

    private static boolean accepts(List<X509Certificate> chain, Map<TrustDomain, Set<X509Certificate>> bundles) {
        return accepts(trustManager(bundles), chain);
    }

    private static boolean accepts(PinnedTrustManager trust, List<X509Certificate> chain) {
        return whyNot(trust, chain) == null;
    }

    private static @Nullable String whyNot(PinnedTrustManager trust, List<X509Certificate> chain) {
        try {
            trust.checkServerTrusted(chain.toArray(X509Certificate[]::new), "ECDHE_ECDSA");
            return null;
        } catch (CertificateException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static PinnedTrustManager trustManager(Map<TrustDomain, Set<X509Certificate>> bundles) {
        return new PinnedTrustManager(
                TrustBundles.of(bundles), pin(List.of(PIN)), TestCandidate.none(), InstantSource.fixed(NOW));
    }

    @Test
    void a_good_file_is_a_leaf_and_each_wrong_one_is_refused_for_what_is_wrong() throws Exception {
        var files = SharedVectors.list("spiffe/x509svid-testdata");
        assertThat(files).hasSize(12);
        for (var file : files) {
            var name = file.getFileName().toString();
            var chain = certificatesOf(file);
            // The last of a chain as the authority; a lone leaf has none, and gets as far as the search for one.
            var authority = chain.size() > 1 ? chain.getLast() : CA.certificate();
            var judged = whyNot(
                    trustManager(Map.of(TrustDomain.parse("example.org"), Set.of(authority))),
                    chain.size() > 1 ? chain.subList(0, 1) : chain);
            switch (name) {
                case "good-leaf-and-intermediate.pem" ->
                    assertThat(judged).as(name).isNull();
                case "good-leaf-only.pem", "good-cert-and-key.pem", "good-key-and-cert.pem" ->
                    assertThat(judged).as(name).contains("Path does not chain with any of the trust anchors");
                case "corrupt-cert.pem" -> assertThat(judged).as(name).isEqualTo("no certificate");
                case "wrong-intermediate-no-ca.pem", "wrong-intermediate-no-key-cert-sign.pem" ->
                    assertThat(judged).as(name).startsWith("no bundle with a valid authority");
                case "wrong-leaf-ca-true.pem" ->
                    assertThat(judged).as(name).isEqualTo("the leaf is a certificate authority");
                case "wrong-leaf-cert-sign.pem", "wrong-leaf-crl-sign.pem", "wrong-leaf-no-digital-signature.pem" ->
                    assertThat(judged).as(name).startsWith("key usage of the leaf");
                case "wrong-leaf-empty-id.pem" -> assertThat(judged).as(name).startsWith("0 URI names");
                default -> throw new AssertionError("no expectation of " + name);
            }
        }
    }

    /** What can be read of it as certificates, keys left out; nothing if it cannot be. */
    private static List<X509Certificate> certificatesOf(Path file) throws IOException {
        var pem = Files.readString(file);
        var chain = new ArrayList<X509Certificate>();
        var end = "-----END CERTIFICATE-----";
        for (int from = pem.indexOf("-----BEGIN CERTIFICATE-----"); from >= 0; ) {
            int to = pem.indexOf(end, from) + end.length();
            try (InputStream one =
                    new ByteArrayInputStream(pem.substring(from, to).getBytes(StandardCharsets.US_ASCII))) {
                chain.add((X509Certificate)
                        CertificateFactory.getInstance("X.509").generateCertificate(one));
            } catch (CertificateException e) {
                return List.of();
            }
            from = pem.indexOf("-----BEGIN CERTIFICATE-----", to);
        }
        return chain;
    }
}
