// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.AuthenticateStage;
import io.sallyport.authenticate.FakeJwkSetSource;
import io.sallyport.authenticate.TestIssuer;
import io.sallyport.authenticate.TestTokens;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.docs.GeneratedPage;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Route;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** {@code docs/identity-providers.md}: each section accepts a token of the shape that stands below it, and none that is for somebody else. */
final class IdentityProvidersPageTest {
    private static final String PAGE = "docs/identity-providers.md";
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final TestTokens KEY = TestTokens.signedWith(SignatureAlgorithm.RS256);
    private static final Pattern SECTION = Pattern.compile("```yaml\\nissuers:\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern TOKEN = Pattern.compile("```json\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile(" {2}([a-z0-9-]+):");

    /** What these have is an ID token, or made like one: the page says so. */
    private static final Set<String> ID_TOKENS_ARE_ALL_THERE_IS = Set.of("Google", "GitHub Actions", "GitLab", "Dex");

    private static final Set<String> AUDIENCE_IS_THE_CLIENT = Set.of("authentik");

    @TempDir
    private Path folder = Path.of("");

    private final AuthenticateStage stage =
            new AuthenticateStage(TestIssuer.STAGE, () -> null, new SimpleMeterRegistry());

    record Provider(String title, String text, String section, String token) {
        @Override
        public String toString() {
            return title;
        }

        ObjectNode header() {
            var header = (ObjectNode) JSON.readTree(token).get("header").deepCopy();
            return header.put("kid", KEY.kid());
        }

        /** With times of now in place of those that the page leaves open. */
        ObjectNode claims() {
            var claims = (ObjectNode) JSON.readTree(token).get("claims").deepCopy();
            long now = FakeRequest.NOW.getEpochSecond();
            claims.put("iat", now - 60).put("exp", now + 540);
            for (var past : List.of("nbf", "auth_time")) {
                if (claims.path(past).isNumber()) {
                    claims.put(past, now - 60);
                }
            }
            return claims;
        }

        String issuerName() {
            var name = NAME.matcher(section);
            assertThat(name.lookingAt()).isTrue();
            return name.group(1);
        }
    }

    static Stream<Provider> providers() throws IOException {
        return Stream.of(page().split("\n## ", -1))
                .filter(text -> text.contains("```yaml"))
                .map(text -> new Provider(
                        text.lines().findFirst().orElseThrow(), text, only(SECTION, text), only(TOKEN, text)));
    }

    private static String page() throws IOException {
        return Files.readString(GeneratedPage.top().resolve(PAGE));
    }

    private static String only(Pattern pattern, String text) {
        var matcher = pattern.matcher(text);
        assertThat(matcher.find()).as("%s in %s", pattern, text).isTrue();
        return matcher.group(1);
    }

    @Test
    void every_provider_that_was_asked_for_is_there() throws IOException {
        assertThat(providers().map(Provider::title))
                .containsExactly(
                        "Keycloak",
                        "Entra ID, v2.0 tokens",
                        "Entra ID, v1.0 tokens",
                        "Entra ID, several tenants",
                        "Okta",
                        "Auth0",
                        "Amazon Cognito",
                        "Google",
                        "AD FS",
                        "Kubernetes service accounts",
                        "GitHub Actions",
                        "GitLab",
                        "authentik",
                        "Dex");
    }

    @ParameterizedTest
    @MethodSource("providers")
    void the_table_has_the_provider_and_the_section_names_its_documentation(Provider provider) throws IOException {
        assertThat(page())
                .containsPattern(
                        "\\| \\[" + Pattern.quote(provider.title()) + "]\\(#[a-z0-9-]+\\) \\| (run|documented)");
        assertThat(provider.text()).contains("](https://");
    }

    @ParameterizedTest
    @MethodSource("providers")
    void a_token_of_that_shape_is_accepted(Provider provider) throws IOException {
        assertThat(judge(provider, provider.header(), provider.claims())).isSameAs(Verdict.Pass.PASS);
    }

    @ParameterizedTest
    @MethodSource("providers")
    void a_token_for_somebody_else_is_not(Provider provider) throws IOException {
        var claims = provider.claims();
        var member = claims.has("aud") ? "aud" : "client_id";

        assertThat(reasonOf(judge(provider, provider.header(), claims.put(member, "somebody-else"))))
                .isIn(Reason.AUTHENTICATE_JWT_AUD_MISMATCH, Reason.AUTHENTICATE_JWT_CLIENT_DENIED);
    }

    @ParameterizedTest
    @MethodSource("providers")
    void an_id_token_is_not(Provider provider) throws IOException {
        if (ID_TOKENS_ARE_ALL_THERE_IS.contains(provider.title())) {
            assertThat(provider.text()).containsIgnoringCase("ID token");
            return;
        }
        var claims = provider.claims().put("nonce", "n-0S6_WzA2Mj").put("at_hash", "MTIzNDU2Nzg5MDEyMzQ1Ng");
        if (!AUDIENCE_IS_THE_CLIENT.contains(provider.title())) {
            claims.put("aud", "the-client");
        }
        if (claims.has("token_use")) {
            claims.put("token_use", "id");
        }

        assertThat(reasonOf(judge(provider, provider.header(), claims)))
                .isIn(Reason.AUTHENTICATE_JWT_AUD_MISMATCH, Reason.AUTHENTICATE_JWT_TYP_DENIED);
    }

    private Verdict judge(Provider provider, ObjectNode header, ObjectNode claims) throws IOException {
        var context = FakeRequest.get("/orders/7")
                .on(route(provider))
                .snapshot(TestIssuer.SNAPSHOT)
                .authorization("Bearer " + KEY.sign(header.toString(), claims.toString()))
                .context();
        return stage.evaluate(context);
    }

    private Route route(Provider provider) throws IOException {
        var file = Files.writeString(folder.resolve("gateway.yaml"), """
                sallyport:
                  listener: { port: 8443, insecure-plaintext: true }
                  management: { insecure-plaintext: true }
                  issuers:
                %s
                  routes:
                    orders:
                      match: { hosts: [api.example.org], path: "/orders/**", methods: [GET] }
                      authenticate: { issuers: [%s] }
                      authorize: { allow: { anyone: "true" } }
                      upstream: { uri: "http://127.0.0.1:9000", insecure-plaintext: true }
                """.formatted(
                        provider.section().indent(2).stripTrailing(), provider.issuerName()));
        var clock = InstantSource.fixed(FakeRequest.NOW);
        var configuration = Configuration.load(new ConfigurationFile(file, clock));
        var modules = StageModules.open(configuration.settings().stages(), clock, new SimpleMeterRegistry());
        return new SnapshotCompiler(
                        (_, _, _) -> FakeJwkSetSource.of(KEY), (_, _, _) -> null, CryptoProvider.detect(), modules)
                .compile(configuration).snapshot().routes().stream()
                        .filter(route -> route.name().equals("orders"))
                        .findFirst()
                        .orElseThrow();
    }

    private static Reason reasonOf(Verdict verdict) {
        assertThat(verdict).isInstanceOf(Verdict.Deny.class);
        return ((Verdict.Deny) verdict).denial().reason();
    }
}
