// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A path is refused, or arrives in exactly the form in which it was authorized. Two routes share each host: everything is open,
 * but {@code /secret/**} wants a token.
 */
@ParameterizedClass
@EnumSource(Way.class)
class APathHasOneReadingIT {
    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    @ParameterizedTest(name = "{0}")
    @Rows({"dots", "separators", "encodings", "lookalikes"})
    void one_with_two_readings_is_refused(Attack attack) throws Exception {
        assertThat(statusOf(attack.text())).isEqualTo(400);
    }

    @ParameterizedTest(name = "{0}")
    @Rows("spellings")
    void another_spelling_of_a_guarded_path_is_guarded(Attack attack) throws Exception {
        assertThat(statusOf(attack.text())).isEqualTo(401);
    }

    private int statusOf(String path) throws Exception {
        int mark = world.upstream().mark();
        int status;
        try (var connection = world.connect()) {
            status = connection
                    .write("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(path, way.host()))
                    .read()
                    .status();
        }
        world.requireOneNeighbourUnharmed(way);
        assertThat(world.upstream().since(mark)).isEmpty();
        return status;
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = ' ', quoteCharacter = '\0', textBlock = """
            / /
            /a /a
            /a/ /a/
            /A /A
            /SECRET/x /SECRET/x
            /%61 /a
            /%41%7e%2d%2E%5f /A~-._
            /a%c3%a9 /a%C3%A9
            /a%C3%a9 /a%C3%A9
            /a%20b /a%20b
            /a%25 /a%25
            /a%25b /a%25b
            /a%3f /a%3F
            /a%23 /a%23
            /a%3D%26 /a%3D%26
            /a%5b /a%5B
            /... /...
            /a/.../b /a/.../b
            /a. /a.
            /a.. /a..
            /.a /.a
            /..a /..a
            /a/%2ea /a/.a
            /a:b@c!$&'()*+,= /a:b@c!$&'()*+,=
            /a? /a?
            /a?b /a?b
            /a?/../secret/x /a?/../secret/x
            /a?x=%2e%2e%2f /a?x=%2e%2e%2f
            /a?x=/%2f//../;a /a?x=/%2f//../;a
            /a%F0%9F%98%80 /a%F0%9F%98%80
            /a|b /a%7Cb
            /[a]{b}^` /%5Ba%5D%7Bb%7D%5E%60
            /a<b>" /a%3Cb%3E%22
            /a?f=a|b&q={}^`<>" /a?f=a%7Cb&q=%7B%7D%5E%60%3C%3E%22
            /a?q=100%&x=%zz&y=\\ /a?q=100%25&x=%25zz&y=%5C
            """)
    void one_with_one_reading_arrives_in_that_form(String path, String canonical) throws Exception {
        int mark = world.upstream().mark();
        try (var connection = world.connect()) {
            var response = connection
                    .write("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(path, way.host()))
                    .read();
            assertThat(response.status()).isEqualTo(200);
        }
        world.requireOneNeighbourUnharmed(way);
        assertThat(world.upstream().since(mark))
                .extracting(RecordingUpstream.Message::target)
                .containsExactly(canonical);
    }

    private static Attack row(String path) {
        return new Attack(path, path);
    }

    /** RFC 3986 section 5.2.4, in every encoding; CVE-2021-41773, CVE-2021-42013. */
    static Stream<Attack> dots() {
        return Stream.of(
                        ".",
                        "..",
                        "%2e",
                        "%2E",
                        "%2e%2e",
                        "%2E%2E",
                        ".%2e",
                        "%2e.",
                        "%2E.",
                        ".%2E",
                        "%252e%252e",
                        "%25%32%65%25%32%65",
                        "%%32%65%%32%65",
                        "%u002e%u002e",
                        "%c0%ae%c0%ae",
                        "%c0%2e%c0%2e",
                        "%e0%80%ae%e0%80%ae",
                        "%f0%80%80%ae%f0%80%80%ae",
                        "%uff0e%uff0e",
                        "%ef%bc%8e%ef%bc%8e",
                        "%e2%80%a4%e2%80%a4",
                        "%e2%80%a5",
                        "..;",
                        "..;a=b",
                        ".;",
                        "%2e%2e;",
                        "%2e%2e%3b",
                        "..%00",
                        "..%0d",
                        "..%0a",
                        "..%09",
                        "..%5c",
                        "..%2f",
                        "%2e%2e%2f",
                        "%2e%2e%5c",
                        "..\\",
                        "..%c0%af",
                        "..%ef%bc%8f",
                        "..%252f",
                        "..%255c",
                        "..%u2215",
                        "..%01")
                .flatMap(dots -> Stream.of(
                        "/" + dots + "/secret/x", "/a/" + dots + "/secret/x", "/a/" + dots, "/secret/x/" + dots + "/"))
                .map(APathHasOneReadingIT::row);
    }

    static Stream<Attack> separators() {
        return Stream.of(
                        "//",
                        "///",
                        "/;/",
                        "/;a/",
                        "/%2f",
                        "%2f",
                        "%2F",
                        "%5c",
                        "%5C",
                        "\\",
                        "/\\",
                        "\\/",
                        "%2f%2f",
                        "/%2F/",
                        "%252f",
                        "%252F",
                        "%255c",
                        "%25%32%66",
                        "%%32f",
                        "%u002f",
                        "%u2215",
                        "%u005c",
                        "%c0%af",
                        "%c1%9c",
                        "%c0%2f",
                        "%e0%80%af",
                        "%f0%80%80%af",
                        "%ef%bc%8f",
                        "%ef%bc%bc",
                        "%00/",
                        "%00",
                        "%0a/",
                        "%0d/",
                        "%09/",
                        "%7f/",
                        "/%00/",
                        ";/",
                        ";a=b/",
                        "%3b/",
                        "%3B/",
                        "%253b/")
                .flatMap(separator ->
                        Stream.of(separator + "secret/x", "/a" + separator + "secret/x", "/secret" + separator + "x"))
                .filter(path -> path.startsWith("/"))
                .map(APathHasOneReadingIT::row);
    }

    static Stream<Attack> encodings() {
        return Stream.of(
                        "%",
                        "%%",
                        "%2",
                        "%g0",
                        "%0g",
                        "%zz",
                        "% 2",
                        "%-1",
                        "%+1",
                        "%0x",
                        "%u0041",
                        "%U0041",
                        "%2541",
                        "%252541",
                        "%25%34%31",
                        "%ff",
                        "%fe",
                        "%80",
                        "%bf",
                        "%c3",
                        "%c3%28",
                        "%c3/",
                        "%e2%82",
                        "%e2%28%a1",
                        "%f0%28%8c%bc",
                        "%f0%9f%98",
                        "%f5%80%80%80",
                        "%f4%90%80%80",
                        "%f8%88%80%80%80",
                        "%fc%84%80%80%80%80",
                        "%ed%a0%80",
                        "%ed%bf%bf",
                        "%c0%80",
                        "%c1%bf",
                        "%e0%9f%bf",
                        "%f0%8f%bf%bf",
                        "%01",
                        "%07",
                        "%08",
                        "%09",
                        "%0a",
                        "%0d",
                        "%0d%0aX:y",
                        "%1b",
                        "%1f",
                        "%7f",
                        ";",
                        ";a",
                        "a;b",
                        "a;b=c",
                        "%3b",
                        "\\")
                .flatMap(encoding -> Stream.of("/a/" + encoding, "/" + encoding + "/a"))
                .map(APathHasOneReadingIT::row);
    }

    /** What NFKC or a code page makes a separator of. */
    static Stream<Attack> lookalikes() {
        return Stream.of(
                        "%ef%bc%8f",
                        "%ef%bc%bc",
                        "%ef%bc%9b",
                        "%ef%bc%85",
                        "%ef%b9%a8",
                        "%ef%b9%94",
                        "%ef%b9%aa",
                        "%e2%84%80",
                        "%cd%be")
                .flatMap(character ->
                        Stream.of("/a" + character + "b", "/secret" + character + "x", "/" + character + "secret/x"))
                .map(APathHasOneReadingIT::row);
    }

    static Stream<Attack> spellings() {
        return Stream.of(
                        "/secret/x",
                        "/%73ecret/x",
                        "/secre%74/x",
                        "/%73%65%63%72%65%74/x",
                        "/secret/%78",
                        "/secret/",
                        "/secret/x/",
                        "/secret/x?a",
                        "/secret/x?/../../a",
                        "/secret/...",
                        "/secret/.a",
                        "/secret/%2ea")
                .map(APathHasOneReadingIT::row);
    }
}
