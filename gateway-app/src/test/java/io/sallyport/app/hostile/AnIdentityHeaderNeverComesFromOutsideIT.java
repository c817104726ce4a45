// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static io.sallyport.app.hostile.Attack.get;
import static io.sallyport.app.hostile.Attack.post;
import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.identity.IdentityHeaders;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A field by which somebody behind the gateway could learn who calls, from where, for which request, comes from the gateway or not
 * at all: in whatever spelling, place or company a client sends it.
 */
@ParameterizedClass
@EnumSource(Way.class)
class AnIdentityHeaderNeverComesFromOutsideIT {
    /** No value that the gateway could write. */
    private static final String SPOOFED = "spoofed";

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    @ParameterizedTest(name = "{0}")
    @Rows("variants")
    void is_removed_or_refused(Attack attack) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = world.connect()) {
            var response =
                    connection.write(attack.filledIn(world.target(), way)).read();
            assertThat(response.status()).isIn(200, 400);
        }

        world.requireOneNeighbourUnharmed(way);
        assertThat(world.upstream().since(mark))
                .hasSizeLessThanOrEqualTo(1)
                .noneMatch(message -> message.bytes().contains(SPOOFED));
    }

    @Test
    void what_the_upstream_learns_of_the_client_is_what_the_gateway_saw() throws Exception {
        int mark = world.upstream().mark();
        var target = world.target();
        try (var connection = world.connect()) {
            connection
                    .write(new Attack(
                                    "",
                                    get(
                                            "X-Forwarded-For: 192.0.2.1",
                                            "X-Forwarded-Proto: http",
                                            "X-Forwarded-Host: evil.test",
                                            "X-Request-ID: spoofed",
                                            "Forwarded: for=192.0.2.1"))
                            .filledIn(target, way))
                    .read();
        }

        var head = world.upstream().since(mark).getFirst().head().toLowerCase(Locale.ROOT);
        assertThat(head)
                .containsOnlyOnce("x-forwarded-for: 127.0.0.1\r\n")
                .containsOnlyOnce("x-forwarded-proto: https\r\n")
                .containsOnlyOnce("x-forwarded-host: %s:%d\r\n".formatted(way.host(), world.port()))
                .containsOnlyOnce("x-request-id: ")
                .doesNotContain("192.0.2.1")
                .doesNotContain("evil.test")
                .doesNotContain("\r\nforwarded:");
    }

    @Test
    void the_port_that_a_client_writes_into_its_host_is_nobodys() throws Exception {
        int mark = world.upstream().mark();
        try (var connection = world.connect()) {
            connection
                    .write("GET %s HTTP/1.1\r\nHost: %s:22\r\n\r\n".formatted(world.target(), way.host()))
                    .read();
        }

        assertThat(world.upstream().since(mark).getFirst().head().toLowerCase(Locale.ROOT))
                .containsOnlyOnce("x-forwarded-host: %s:%d\r\n".formatted(way.host(), world.port()))
                .doesNotContain(":22\r\n");
    }

    private static Stream<String> names() {
        return Stream.of(
                        IdentityHeaders.NAMES.stream(),
                        IdentityHeaders.FAMILIES.stream().map(family -> family + "user"),
                        Stream.of(
                                "x-request-id",
                                "authorization",
                                "cookie",
                                "dpop",
                                "proxy-authorization",
                                "proxy-connection",
                                "x-forwarded-client-cert",
                                "x-forwarded-user",
                                "x-forwarded-prefix",
                                "x-original-url",
                                // Written by one route, and so removed on all.
                                "x-told-subject",
                                "x-told-groups"))
                .flatMap(names -> names)
                .distinct();
    }

    static Stream<Attack> variants() {
        return names().flatMap(name -> {
            var field = name + ": " + SPOOFED;
            return Stream.of(
                    new Attack(field, get(field)),
                    new Attack(
                            name + " in capitals",
                            get(field.toUpperCase(Locale.ROOT).replace("SPOOFED", SPOOFED))),
                    new Attack(name + " with underscores", get(field.replace('-', '_'))),
                    new Attack(name + " with runs of dashes", get(field.replace("-", "--"))),
                    new Attack(name + " twice", get(field, "X: y", field)),
                    new Attack(name + " nominated", get("Connection: close, " + name, field)),
                    new Attack(name + " nominated by itself", get(field, "Connection: " + name)),
                    new Attack(
                            name + " in the trailers",
                            post("Transfer-Encoding: chunked", "Trailer: " + name) + "0\r\n" + field + "\r\n\r\n"));
        });
    }
}
