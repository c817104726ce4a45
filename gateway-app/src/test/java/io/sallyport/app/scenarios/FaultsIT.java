// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.demo.Credentials;
import io.sallyport.app.demo.DemoCertificateAuthority;
import io.sallyport.app.demo.DemoParts;
import io.sallyport.app.scenarios.StreamingWorld.Way;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What {@code sallyport run} does when its files are removed, written half or replaced by wrong ones, and what an operator sees of it. */
class FaultsIT {
    /** By the upstream, which has nothing there. */
    private static final int ANSWERED = 404;

    private static final Duration SVID_OF_A_MOMENT = Duration.ofSeconds(1);

    @RegisterExtension
    static final StreamingWorld world = StreamingWorld.withProcess();

    @Test
    void who_was_revoked_stays_out_though_the_journal_was_removed_before() throws Exception {
        world.start(text -> text);
        assertThat(revoke(DemoParts.GLOBEX)).isEqualTo(201);
        assertRevoked(DemoParts.GLOBEX);

        Files.delete(journal());
        assertThat(revoke(DemoParts.ACME_LAPTOP)).isEqualTo(201);
        world.stop();
        world.start();

        assertRevoked(DemoParts.GLOBEX);
        assertRevoked(DemoParts.ACME_LAPTOP);
        assertThat(status(Way.DIRECT, DemoParts.ACME)).isEqualTo(ANSWERED);
        world.stop();
    }

    @Test
    void wrong_files_change_nothing_and_are_seen() throws Exception {
        var identity = Files.createDirectory(world.parts().directory().resolve("identity-of-faults"));
        var svid = identity.resolve("svid.pem");
        var key = identity.resolve("key.pem");
        var bundle = identity.resolve("bundle.pem");
        world.parts().svid(DemoParts.GATEWAY_ID, Duration.ofHours(1)).writeTo(svid, key);
        Files.writeString(bundle, Credentials.pem(List.of(world.parts().workloadRoot())));
        var late = world.parts().svid(DemoParts.GATEWAY_ID, SVID_OF_A_MOMENT);
        world.start(text -> text.replaceFirst(
                "workload-api: \\S+", "files: { svid: %s, key: %s, bundle: %s }".formatted(svid, key, bundle)));
        var configuration = world.parts().configuration();
        var original = Files.readString(configuration);

        // Written in place, and not to its end: the first of its routes are all that there is.
        Files.writeString(configuration, original.substring(0, original.indexOf("    direct-events:")));
        Patience.until("refused", () -> logged("changed in place, and without its end"));
        assertThat(health().at("/components/configuration/details/file").asString())
                .isEqualTo("refused");
        assertThat(status(Way.DIRECT, DemoParts.ACME)).isEqualTo(ANSWERED);

        Files.delete(configuration);
        Patience.until("missed", () -> logged("the configuration file cannot be read"));
        assertThat(health().at("/components/configuration/details/file").asString())
                .isEqualTo("unreadable");

        var again = Files.writeString(configuration.resolveSibling("again.yaml"), original);
        Files.move(again, configuration, StandardCopyOption.ATOMIC_MOVE);
        Patience.until(
                "in force",
                () -> health().at("/components/configuration/details/file")
                        .asString()
                        .equals("in force"));

        late.writeTo(svid, key);
        Patience.until("not taken", () -> logged("an SVID that has expired was delivered; the one in use stays"));
        assertThat(health().at("/components/svid/details/svid").asString()).isEqualTo("valid");
        assertThat(status(Way.DIRECT, DemoParts.ACME)).isEqualTo(ANSWERED);
        assertThat(status(Way.THROUGH_FILTERS, DemoParts.ACME)).isEqualTo(ANSWERED);

        world.parts().svid(DemoParts.GATEWAY_ID, Duration.ofHours(1)).writeTo(svid, key);
        Patience.until("renewed", () -> logged("the gateway's SVID was renewed"));

        var stranger = DemoCertificateAuthority.ofTrustDomain(DemoParts.TRUST_DOMAIN, InstantSource.system());
        Files.writeString(bundle, Credentials.pem(List.of(stranger.root())));
        Patience.until(
                "a foreign bundle",
                () -> health().at("/components/svid/details/problem").asString().contains("does not vouch"));
        world.stop();
    }

    private static Path journal() throws IOException {
        try (var files = Files.walk(world.parts().directory())) {
            return files.filter(file -> file.getFileName().toString().startsWith("deny-list")
                            && !file.toString().endsWith(".lock"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static boolean logged(String text) throws IOException {
        return Files.readString(world.log()).contains(text);
    }

    private static void assertRevoked(String client) throws Exception {
        for (var way : Way.values()) {
            assertThat(status(way, client)).as("%s, %s", client, way).isEqualTo(401);
        }
    }

    private static int status(Way way, String client) throws Exception {
        var request = HttpRequest.newBuilder(world.http(way, "/download/none"))
                .header("Authorization", "Bearer " + world.token(client))
                .build();
        return world.http()
                .send(request, HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    private static int revoke(String subject) throws Exception {
        var entry = Map.of(
                "iss",
                world.parts().issuer().issuer().toString(),
                "sub",
                subject,
                "not_before",
                Instant.now().plusSeconds(3600).toString(),
                "reason",
                "test");
        return management(
                        "/actuator/sallyport/revocations",
                        HttpRequest.newBuilder()
                                .header("Content-Type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofString(
                                        JsonMapper.shared().writeValueAsString(entry))))
                .statusCode();
    }

    private static JsonNode health() throws Exception {
        return JsonMapper.shared()
                .readTree(
                        management("/actuator/health", HttpRequest.newBuilder()).body());
    }

    private static HttpResponse<String> management(String path, HttpRequest.Builder request) throws Exception {
        var token = world.client().token(DemoParts.OPERATOR, Map.of("resource", DemoParts.MANAGEMENT_AUDIENCE));
        return world.http()
                .send(
                        request.uri(world.parts().management().resolve(path))
                                .header("Authorization", "Bearer " + token)
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }
}
