// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.authenticate.TestTokens;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.security.Security;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every algorithm is verified alike by whoever does the arithmetic. */
class CryptoProviderTest {
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void the_native_provider_serves_where_its_library_is_and_is_not_installed_for_everybody() {
        assertThat(CryptoProvider.detect().isNative()).isTrue();
        assertThat(CryptoProvider.jdk().isNative()).isFalse();
        assertThat(Security.getProvider("AmazonCorrettoCryptoProvider")).isNull();
    }

    @Test
    void where_the_library_is_not_on_the_class_path_the_jdk_serves() throws Exception {
        var here = CryptoProvider.class.getProtectionDomain().getCodeSource().getLocation();
        try (var withoutIt = new URLClassLoader(new URL[] {here}, new Without("com.amazon.corretto."))) {
            var type = withoutIt.loadClass(CryptoProvider.class.getName());

            var detected = type.getMethod("detect").invoke(null);

            assertThat(type).isNotSameAs(CryptoProvider.class);
            assertThat(type.getMethod("isNative").invoke(detected)).isEqualTo(false);
        }
    }

    /** Everything but what begins like this, and but our own classes, which are then linked anew. */
    private static final class Without extends ClassLoader {
        private final String prefix;

        Without(String prefix) {
            super(CryptoProviderTest.class.getClassLoader());
            this.prefix = prefix;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith(prefix) || name.startsWith(CryptoProvider.class.getName())) {
                throw new ClassNotFoundException(name);
            }
            return super.loadClass(name, resolve);
        }
    }

    static Stream<Arguments> algorithmsAndProviders() {
        return Stream.of(SignatureAlgorithm.values())
                .flatMap(algorithm -> Stream.of(CryptoProvider.detect(), CryptoProvider.jdk())
                        .map(crypto -> Arguments.of(algorithm, crypto.isNative() ? "native" : "jdk", crypto)));
    }

    @ParameterizedTest(name = "{0} by {1}")
    @MethodSource("algorithmsAndProviders")
    void a_signature_is_verified(SignatureAlgorithm algorithm, String who, CryptoProvider crypto) {
        var tokens = TestTokens.signedWith(algorithm);
        var key = key(TestTokens.jwkSet(tokens), crypto);
        var token = tokens.issue();
        var signature = token.substring(token.lastIndexOf('.') + 1);
        var input = token.substring(0, token.lastIndexOf('.') + 1);

        assertThat(key.verifies(algorithm, token)).isTrue();
        assertThat(key.verifies(algorithm, tokens.token().forge())).isFalse();
        assertThat(SignatureAlgorithm.values())
                .filteredOn(other -> other != algorithm)
                .noneMatch(other -> key.verifies(other, token));
        for (var wrong : List.of(
                input + (signature.charAt(0) == 'A' ? 'B' : 'A') + signature.substring(1),
                input + signature.substring(0, signature.length() / 2),
                input + signature + signature,
                input + "A".repeat(signature.length()),
                input + "AA",
                input,
                "",
                "x",
                token.replace("eyJ", "eyK"))) {
            assertThat(key.verifies(algorithm, wrong)).as(wrong).isFalse();
        }
    }

    /** RFC 7515 appendix A.3: its claims carry line breaks, and nothing of a header but alg. */
    @Test
    void the_example_of_rfc_7515_for_es256_verifies() {
        var key = key("""
                {"keys":[{"kty":"EC","crv":"P-256",
                "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}""", CryptoProvider.detect());

        assertThat(
                        key.verifies(
                                SignatureAlgorithm.ES256,
                                "eyJhbGciOiJFUzI1NiJ9"
                                        + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
                                        + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"))
                .isTrue();
    }

    /** RFC 8037 appendix A.4. */
    @Test
    void the_example_of_rfc_8037_for_ed25519_verifies() {
        var key = key("""
                {"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}""", CryptoProvider.detect());

        assertThat(
                        key.verifies(
                                SignatureAlgorithm.EDDSA,
                                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
                                        + ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"))
                .isTrue();
    }

    private static VerificationKey key(String jwkSet, CryptoProvider crypto) {
        var document = JwkSetDocument.parse(jwkSet.getBytes(StandardCharsets.UTF_8), List.of(), crypto);
        return Objects.requireNonNull(document).keys().getFirst();
    }
}
