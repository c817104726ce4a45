// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.decision.Reason;
import io.sallyport.pipeline.CanonicalPath;
import java.text.Normalizer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One spelling for each path, and a refusal for each path that readers take for different ones. */
class CanonicalPathsTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/orders",
                "/orders/",
                "/v1/orders/7",
                "/a-b_c~d/1!$&'()*+,=:@",
                "/file.json",
                "/.well-known/x",
                "/..data",
                "/a..b",
                "/...",
                "/%20",
                "/caf%C3%A9",
                "/%F0%9F%98%80",
                "/100%25",
                "/100%25x",
                "/100%25up",
                "/%3F%23%5B%5D",
                "/%E2%80%A6",
            })
    void a_canonical_path_stays_as_it_is(String path) {
        assertThat(read(path)).isEqualTo(path);
    }

    @ParameterizedTest
    @CsvSource({
        "/%61%2D%5f%7e%2E5/x, /a-_~.5/x",
        "/caf%c3%a9, /caf%C3%A9",
        "/%7Euser, /~user",
        "/%2a%2A, /%2A%2A",
        "/a%2eb, /a.b",
        "/%2e%2e%2e, /...",
        // What browsers leave as it is: the URL standard's path state.
        "/a|b, /a%7Cb",
        "/{a}, /%7Ba%7D",
        "/a^`b, /a%5E%60b",
        "/[a], /%5Ba%5D",
        "/a<b>\", /a%3Cb%3E%22",
    })
    void a_spelling_becomes_the_canonical_one(String path, String canonical) {
        assertThat(read(path)).isEqualTo(canonical);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/%",
                "/a%2",
                "/%g0",
                "/%0g",
                "/% 2",
                "/%2%35%32f",
                "/%u002f",
                "/a b",
                "/a\tb",
                "/a\rb",
                "/a\0b",
                "/a\\b",
                "/a#b",
                "/caf\u00e9",
                "/\u212a",
                "/%0a",
                "/%0D%0A",
                "/%1b",
                "/%7f",
                "/%80",
                "/%C3",
                "/%C3x",
                "/%C3%",
                "/%C3/%A9",
                "/%C3%28",
                "/%E9",
                "/%F5%80%80%80",
                "/%F4%90%80%80",
                "/%ED%A0%80",
                // Overlong: the second, third and fourth way to write a slash or a dot.
                "/%C0%AF",
                "/%C0%AE%C0%AE",
                "/%E0%80%AF",
                "/%F0%80%80%AF",
            })
    void a_path_that_no_grammar_allows_is_malformed(String path) {
        assertThat(read(path)).isEqualTo(Reason.EDGE_PATH_MALFORMED.code());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "//",
                "//a",
                "/a//b",
                "/a//",
                "/.",
                "/..",
                "/./a",
                "/a/..",
                "/a/../b",
                "/a/%2e",
                "/a/%2e%2E/b",
                "/a/.%2e/b",
                "/a/%2e./",
                "/%2f",
                "/a%2F",
                "/a%2F/b",
                "/a%2F%2Fb",
                "/a%2F.",
                "/a%2F../b",
                "/%2e%2e%2fadmin",
                "/a%2F%2e%2E%2Fb",
                "/a%2F%E2%80%A5",
                "/a%5cb",
                "/a%00",
                "/;a",
                "/a/;b",
                "/a/;b/c",
                "/..;/admin",
                "/.;a=b",
                "/a/%2e%2e;/admin",
                "/a%2F;b",
                "/a%2F..;b",
                "/a;b%2Fc",
                "/a;b%5Cc",
                "/a;b%3Bc",
                "/a;b%252F",
                "/a;b/..",
                "/a%3Bb",
                // Encoded twice, in whole or in part.
                "/%252f",
                "/%252e%252e/a",
                "/%25%32%66",
                "/%252F",
                "/%255c",
                "/%2500",
                "/%2541",
                "/%25252f",
                "/%25u002f",
                // What NFKC makes a slash, a backslash, a semicolon, a percent sign, one dot or two of.
                "/a%EF%BC%8Fb",
                "/a%EF%BC%BCb",
                "/a%CD%BEb",
                "/%EF%BC%852f",
                "/%E2%80%A5",
                "/%EF%BC%8E%EF%BC%8E/a",
                "/.%E2%80%A4/a",
            })
    void a_path_that_readers_take_for_different_ones_is_ambiguous(String path) {
        assertThat(read(path)).isEqualTo(Reason.EDGE_PATH_AMBIGUOUS.code());
    }

    @ParameterizedTest
    @CsvSource({
        "/a%2fb, /a%2Fb, /a%2Fb",
        "/x/a%2Fb%2Fc/y, /x/a%2Fb%2Fc/y, /x/a%2Fb%2Fc/y",
        "/a%2F..b, /a%2F..b, /a%2F..b",
        "/a;b, /a, /a;b",
        "/a;b=%63|/d;, /a/d, /a;b=c%7C/d;",
        "/a;b;c/, /a/, /a;b;c/",
        "/a;../b, /a/b, /a;../b",
        "/a%2fb;c/d, /a%2Fb/d, /a%2Fb;c/d",
    })
    void what_a_route_may_let_pass_has_one_reading_and_one_form_to_forward(
            String path, String canonical, String forwarded) {
        var reading = CanonicalPaths.read(path, 0, path.length());

        assertThat(reading).isInstanceOfSatisfying(CanonicalPaths.Reading.Conditional.class, conditional -> {
            assertThat(conditional.path().value()).isEqualTo(canonical);
            requireOneReading(path, conditional);
            assertThat(conditional.forwarded()).isEqualTo(forwarded);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "REFUSE, REFUSE, false, false",
        "PASS, REFUSE, true, false",
        "REFUSE, PASS, false, true",
        "PASS, PASS, true, true",
    })
    void each_rule_lets_its_own_pass(
            PathRules.Handling slashes, PathRules.Handling parameters, boolean slash, boolean parameter) {
        var rules = new PathRules(slashes, parameters);

        assertThat(CanonicalPaths.isCanonical("/a%2Fb", rules)).isEqualTo(slash);
        assertThat(CanonicalPaths.isCanonical("/a;b", rules)).isEqualTo(parameter);
        assertThat(CanonicalPaths.isCanonical("/a%2Fb;c", rules)).isEqualTo(slash && parameter);
        assertThat(CanonicalPaths.isCanonical("/a", rules)).isTrue();
        assertThat(CanonicalPaths.isCanonical("/a;/../b", rules)).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\0',
            value = {
                "/a\\b, '\\' at 2",
                "/ab c, U+0020 at 3",
                "/a%2, '%' at 2",
                "/a%5cb, '%5c' at 2",
                "/%0a, '%0a' at 1",
                "/a/../b, '.' at 3",
                "/a//b, '/' at 3",
                "/a%2F, its end",
                "/%C3%28, '%C3' at 1",
                "/%252f, 'f' at 5",
            })
    void what_is_refused_is_shown_with_its_place(String path, String shown) {
        assertThat(CanonicalPaths.read(path, 0, path.length()))
                .isInstanceOfSatisfying(
                        CanonicalPaths.Reading.Refused.class,
                        refused -> assertThat(CanonicalPaths.shown(path, refused.at()))
                                .isEqualTo(shown));
    }

    @Test
    void part_of_a_target_is_read() {
        var target = "http://a/b%2dc?d=/../";

        assertThat(CanonicalPaths.read(target, 8, target.indexOf('?')))
                .isEqualTo(new CanonicalPaths.Reading.Canonical(new CanonicalPath("/b-c")));
    }

    @ParameterizedTest
    @CsvSource({"abc, abc", "%C3%A9t%C3%A9, \u00e9t\u00e9", "100%25, 100%", "a%20b, a b"})
    void a_segment_is_decoded(String segment, String decoded) {
        var path = "/x/" + segment + "/y";

        assertThat(CanonicalPaths.decode(path, 3, 3 + segment.length())).isEqualTo(decoded);
    }

    /** Of random paths made of the pieces that matter: no exception, one fixed point, nothing left to decode. */
    @Test
    void whatever_is_accepted_is_canonical_already_and_decodes_once() {
        var random = new Random(7);
        int accepted = 0;
        int conditional = 0;
        for (int i = 0; i < 300_000; i++) {
            var path = randomPath(random);
            if (CanonicalPaths.read(path, 0, path.length()) instanceof CanonicalPaths.Reading.Conditional passed) {
                conditional++;
                requireOneReading(path, passed);
            }
            if (CanonicalPaths.read(path, 0, path.length())
                    instanceof CanonicalPaths.Reading.Canonical(CanonicalPath(String canonical))) {
                accepted++;
                assertThat(read(canonical)).as(path).isEqualTo(canonical);
                var decoded = CanonicalPaths.decode(canonical, 0, canonical.length());
                assertThat(decodedLeniently(decoded)).as(path).isEqualTo(decoded);
                assertThat(decoded).as(path).doesNotContain("//", "\\", ";", "\0");
                assertThat(segmentsOf(Normalizer.normalize(decoded, Normalizer.Form.NFKC)))
                        .as(path)
                        .hasSameSizeAs(segmentsOf(canonical))
                        .doesNotContain(".", "..");
            }
        }
        assertThat(accepted).isGreaterThan(10_000);
        assertThat(conditional).isGreaterThan(1_000);
    }

    /** Nobody finds a segment that is empty or dots, whether they split at encoded slashes and cut parameters off or not. */
    private static void requireOneReading(String path, CanonicalPaths.Reading.Conditional passed) {
        var forwarded = passed.forwarded();
        var canonical = passed.path().value();
        assertThat(CanonicalPaths.read(forwarded, 0, forwarded.length()))
                .as(path)
                .isInstanceOfSatisfying(CanonicalPaths.Reading.Conditional.class, again -> {
                    assertThat(again.path()).isEqualTo(passed.path());
                    assertThat(again.forwarded()).isEqualTo(forwarded);
                });
        assertThat(forwarded.replaceAll(";[^/]*", "")).as(path).isEqualTo(canonical);
        assertThat(segmentsOf(forwarded)).as(path).hasSameSizeAs(segmentsOf(canonical));
        var decoded = CanonicalPaths.decode(canonical, 0, canonical.length());
        assertThat(decodedLeniently(decoded)).as(path).isEqualTo(decoded);
        assertThat(decoded).as(path).doesNotContain("//", "\\", ";", "\0");
        assertThat(decoded.endsWith("/")).as(path).isEqualTo(canonical.endsWith("/"));
        var folded = Normalizer.normalize(decoded, Normalizer.Form.NFKC);
        for (var reading : new String[] {decoded, canonical, forwarded, folded}) {
            assertThat(segmentsOf(reading)).as(path).doesNotContain(".", "..");
        }
    }

    @Test
    void every_character_that_unicode_folds_into_a_separator_is_known() {
        for (int codePoint = 0x80; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
            if (codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE) {
                continue;
            }
            var folded = Normalizer.normalize(Character.toString(codePoint), Normalizer.Form.NFKC);
            boolean separates = folded.chars().anyMatch(c -> c == '/' || c == '\\' || c == ';' || c == '%');
            assertThat(CanonicalPaths.isSeparatorLookalike(codePoint))
                    .as("U+%04X %s", codePoint, folded)
                    .isEqualTo(separates);
            assertThat(CanonicalPaths.dotsIn(codePoint))
                    .as("U+%04X %s", codePoint, folded)
                    .isEqualTo(folded.equals(".") ? 1 : folded.equals("..") ? 2 : 0);
        }
    }

    private static final String[] PIECES = {
        "/",
        "a",
        ".",
        "..",
        "%",
        "2",
        "f",
        "5",
        "c",
        "%2f",
        "%2e",
        "%25",
        "%5C",
        "%00",
        ";",
        "u",
        "0",
        "%61",
        "%C3%A9",
        "%c3",
        "%EF%BC%8F",
        "%EF%BC%8E",
        "%E2%80%A5",
        "\\",
        "\u00e9",
        " ",
        "?",
        "~",
        "%7E",
        "%3B",
        "%F0%9F%98%80",
        "b/"
    };

    private static String randomPath(Random random) {
        var path = new StringBuilder("/");
        for (int i = random.nextInt(7); i >= 0; i--) {
            path.append(
                    random.nextInt(20) == 0
                            ? Character.toString(random.nextInt(256))
                            : PIECES[random.nextInt(PIECES.length)]);
        }
        return path.toString();
    }

    private static String[] segmentsOf(String path) {
        return path.split("/", -1);
    }

    /** As a reader does that leaves alone what it cannot decode. */
    private static String decodedLeniently(String text) {
        var decoded = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            int b = text.charAt(i) == '%' ? CanonicalPaths.byteAt(text, i, text.length()) : -1;
            decoded.append(b < 0 ? text.charAt(i) : (char) b);
            i += b < 0 ? 0 : 2;
        }
        return decoded.toString();
    }

    private static String read(String path) {
        return switch (CanonicalPaths.read(path, 0, path.length())) {
            case CanonicalPaths.Reading.Canonical(CanonicalPath(String canonical)) -> canonical;
            case CanonicalPaths.Reading.Conditional _ -> "conditional";
            case CanonicalPaths.Reading.Refused refused -> refused.reason().code();
        };
    }
}
