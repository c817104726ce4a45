// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.nimbusds.jose.jwk.JWKSet;
import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.decisionlog.MovableClock;
import io.sallyport.identity.P256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The keys that sign what upstreams are told, and their rotation. */
class SigningKeysTest {
    private static final Instant START = Instant.parse("2026-11-30T12:00:00Z");

    @TempDir
    private Path folder;

    private final MovableClock clock = new MovableClock(START);
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (var each : opened) {
            each.close();
        }
    }

    @Test
    void the_public_key_of_a_private_one_is_found() throws Exception {
        for (int i = 0; i < 5; i++) {
            var pair = pair("secp256r1");

            assertThat(P256.keyPair(pem(pair)).getPublic()).isEqualTo(pair.getPublic());
        }
    }

    @Test
    void the_first_key_signs_and_all_are_published_without_their_private_part() throws Exception {
        var keys = open(write("a.pem"), write("b.pem"));

        assertThat(published(keys)).hasSize(2).contains(keys.signer(START).id());
        assertThat(new String(keys.json(), StandardCharsets.UTF_8)).doesNotContain("\"d\"");
    }

    @Test
    void two_replicas_with_one_file_publish_and_sign_alike() throws Exception {
        var file = write("a.pem");

        assertThat(open(file).json()).isEqualTo(open(file).json());
    }

    @Test
    void a_replaced_key_is_published_before_it_signs_and_the_former_one_stays_published() throws Exception {
        var file = write("a.pem");
        var keys = open(file);
        var former = keys.signer(START).id();

        write("a.pem");
        await().atMost(Duration.ofSeconds(10)).until(() -> published(keys).size() == 2);

        var next = published(keys).stream()
                .filter(id -> !id.equals(former))
                .findFirst()
                .orElseThrow();
        assertThat(keys.signer(START.plus(SigningKeys.AHEAD).minusMillis(1)).id())
                .isEqualTo(former);
        assertThat(keys.signer(START.plus(SigningKeys.AHEAD)).id()).isEqualTo(next);
        assertThat(published(keys)).contains(former);

        clock.advance(SigningKeys.BEHIND.plusSeconds(1));
        write("a.pem");
        await().atMost(Duration.ofSeconds(10)).until(() -> !published(keys).contains(former));
    }

    @Test
    void a_key_that_was_published_before_signs_at_once_when_it_comes_first() throws Exception {
        var first = write("a.pem");
        var second = write("b.pem");
        var keys = open(first, second);
        var standby = published(keys).stream()
                .filter(id -> !id.equals(keys.signer(START).id()))
                .findFirst()
                .orElseThrow();

        Files.copy(second, first, StandardCopyOption.REPLACE_EXISTING);

        await().atMost(Duration.ofSeconds(10))
                .until(() -> keys.signer(START).id().equals(standby));
    }

    @Test
    void a_file_that_cannot_be_used_changes_nothing() throws Exception {
        var file = write("a.pem");
        var keys = open(file);
        var before = keys.json();

        Files.writeString(file, "nothing");
        Thread.sleep(500);

        assertThat(keys.json()).isEqualTo(before);
    }

    @Test
    void another_kind_of_key_is_refused_at_start_and_found_by_check() throws Exception {
        var other = folder.resolve("p384.pem");
        Files.writeString(other, pem(pair("secp384r1")));

        assertThatThrownBy(() -> SigningKeys.open(List.of(other), null, clock, Duration.ofMillis(50)))
                .isInstanceOf(InvalidSetting.class)
                .hasMessageContaining("P-256");
        var findings = new Findings();
        SigningKeys.check(
                new SigningConfig(List.of(write("a.pem"), other, folder.resolve("missing.pem")), null),
                findings.at("signing"));
        assertThat(findings.all()).extracting(Finding::path).containsExactly("signing.keys[1]", "signing.keys[2]");
    }

    private SigningKeys open(Path... files) {
        var keys = SigningKeys.open(List.of(files), null, clock, Duration.ofMillis(50));
        opened.add(keys);
        return keys;
    }

    private static Set<String> published(SigningKeys keys) throws Exception {
        return JWKSet.parse(new String(keys.json(), StandardCharsets.UTF_8)).getKeys().stream()
                .map(key -> key.getKeyID())
                .collect(Collectors.toSet());
    }

    private Path write(String name) throws Exception {
        var next = Files.writeString(folder.resolve("next"), pem(pair("secp256r1")));
        return Files.move(next, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }

    private static KeyPair pair(String curve) throws Exception {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec(curve));
        return generator.generateKeyPair();
    }

    private static String pem(KeyPair pair) throws IOException {
        return "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
                .formatted(
                        Base64.getMimeEncoder().encodeToString(pair.getPrivate().getEncoded()));
    }
}
