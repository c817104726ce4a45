// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.util.unit.DataSize;

final class RecordBinderTest {
    enum Colour {
        RED,
        DARK_BLUE
    }

    record Even(int value) {
        public static Even parse(String text) {
            int value = Integer.parseInt(text.substring(1));
            if (value % 2 != 0) {
                throw new InvalidSetting("", text, "# and an even number");
            }
            return new Even(value);
        }
    }

    record Door(
            @Setting("How wide it is, in centimetres.") int width,

            @Setting(value = "Whether it is locked.", byDefault = "true")
            boolean locked) {
        public Door {
            if (width > 500) {
                throw new InvalidSetting("width", width, "at most 500");
            }
        }

        public static Door parse(String text) {
            if (!text.equals("open")) {
                throw new InvalidSetting("", text, "the word open, or a section");
            }
            return new Door(100, false);
        }
    }

    record House(
            @Setting("The name on the bell.") String name,

            @Setting(value = "Number of floors.", byDefault = "1")
            int floors,

            @Setting(value = "How long the bell rings.", byDefault = "500ms")
            Duration ring,

            @Setting(value = "Size of the letter box.", byDefault = "1MiB")
            DataSize letterBox,

            @Setting("Its page.") @Nullable URI page,
            @Setting("Its plan.") @Nullable Path plan,

            @Setting(value = "Its colour.", byDefault = "dark-blue")
            Colour colour,

            @Setting("Its number.") @Nullable Even number,

            @Setting(value = "Who lives there.", byDefault = "[]")
            List<String> people,

            @Setting(value = "Which floors are let.", byDefault = "[]")
            Set<Integer> let,

            @Setting(value = "Its doors.", byDefault = "{}") Map<String, Door> doors,
            @Setting("Its front door.") @Nullable Door frontDoor) {
        public House {
            if (ring.toDays() > 7) {
                throw new InvalidSetting("ring", ring, "at most 7d");
            }
        }
    }

    record Street(@Setting("The houses.") Map<String, House> houses) {}

    private final Findings findings = new Findings();

    @Test
    void every_kind_of_value_is_read() {
        var house = bind("""
                name: "42"
                floors: 3
                ring: 2s
                letter-box: 8KB
                page: https://house.example/plan
                plan: plans/ground.pdf
                colour: red
                number: "#4"
                people: [alice, "bob"]
                let: [0, 2]
                doors:
                  back: { width: 90, locked: false }
                  side: open
                front-door:
                  width: 120
                """);

        assertThat(findings.all()).isEmpty();
        assertThat(house)
                .isEqualTo(new House(
                        "42",
                        3,
                        Duration.ofSeconds(2),
                        DataSize.ofKilobytes(8),
                        URI.create("https://house.example/plan"),
                        Path.of("plans/ground.pdf"),
                        Colour.RED,
                        new Even(4),
                        List.of("alice", "bob"),
                        Set.of(0, 2),
                        Map.of("back", new Door(90, false), "side", new Door(100, false)),
                        new Door(120, true)));
    }

    record Pair(
            @Setting(value = "0 to 9.", byDefault = "1") int low,

            @Setting(value = "0 to 9.", byDefault = "9") int high,

            @Setting("The other one.") @Nullable House other) {
        public Pair {
            if (low < 0 || low > 9) {
                throw new InvalidSetting("low", low, "0 to 9");
            }
            if (high < 0 || high > 9) {
                throw new InvalidSetting("high", high, "0 to 9");
            }
        }
    }

    record Pairs(@Setting("By name.") Map<String, Pair> pairs) {}

    @Test
    void everything_that_a_section_says_of_its_values_is_found_at_once() {
        RecordBinder.bind("pairs: { a: { low: 10, high: 11, other: 3 } }", Pairs.class, findings);

        assertThat(findings.all())
                .extracting(Finding::path)
                .containsExactlyInAnyOrder("pairs.a.low", "pairs.a.high", "pairs.a.other");
    }

    @ParameterizedTest
    @ValueSource(strings = {"name: ${NAME}", "name: x\nfloors: ${FLOORS}", "name: x\npeople: [alice, \"${BOB:-bob}\"]"})
    void a_variable_is_refused_with_a_sentence_of_its_own(String yaml) {
        bind(yaml);

        assertThat(findings.all())
                .singleElement()
                .satisfies(finding -> assertThat(finding.toString())
                        .contains("${")
                        .endsWith("(expected: the value itself: nothing is put in the place of ${...})"));
    }

    @Test
    void a_key_that_is_indented_too_little_is_told_whose_it_is_and_where_it_stands() {
        RecordBinder.bind("pairs:\n  a:\n    other:\n    name: x\n", Pairs.class, findings);

        assertThat(findings.all().stream().map(finding -> finding.in("a.yaml")))
                .contains(
                        "a.yaml:4:5: pairs.a.name: unknown key (expected: it is a key of pairs.a.other, below which nothing"
                                + " stands: indent it more)");
    }

    @Test
    void a_key_that_is_indented_too_much_is_told_whose_it_is_and_where_it_stands() {
        RecordBinder.bind("pairs:\n  a:\n    other:\n      name: x\n      high: 3\n", Pairs.class, findings);

        assertThat(findings.all().stream().map(finding -> finding.in("a.yaml")))
                .containsExactly(
                        "a.yaml:5:7: pairs.a.other.high: unknown key (expected: it is a key of pairs.a: indent it less)");
    }

    @Test
    void what_is_left_out_has_its_default_or_is_absent() {
        var house = bind("name: empty");

        assertThat(house)
                .isEqualTo(new House(
                        "empty",
                        1,
                        Duration.ofMillis(500),
                        DataSize.ofMegabytes(1),
                        null,
                        null,
                        Colour.DARK_BLUE,
                        null,
                        List.of(),
                        Set.of(),
                        Map.of(),
                        null));
    }

    @ParameterizedTest
    @CsvSource({"500ms,PT0.5S", "30s,PT30S", "5m,PT5M", "1h,PT1H", "2d,PT48H", "0s,PT0S"})
    void a_duration_is_a_number_and_a_unit(String text, Duration expected) {
        assertThat(requireNonNull(bind("{name: x, ring: %s}".formatted(text))).ring())
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"512B,512", "8KB,8192", "8KiB,8192", "1MB,1048576", "1MiB,1048576", "1GB,1073741824", "1GiB,1073741824"
    })
    void a_size_is_a_number_and_a_unit_of_powers_of_1024(String text, long bytes) {
        assertThat(requireNonNull(bind("{name: x, letter-box: %s}".formatted(text)))
                        .letterBox()
                        .toBytes())
                .isEqualTo(bytes);
    }

    @Test
    void a_relative_path_starts_from_the_folder_of_the_file() {
        var document = requireNonNull(YamlDocument.parse("{name: x, plan: plans/../ground.pdf}", findings));

        var house = new RecordBinder(Path.of("/etc/sallyport")).bind(document, House.class, findings);

        assertThat(requireNonNull(house).plan()).isEqualTo(Path.of("/etc/sallyport/ground.pdf"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "floors: three     | floors: three (expected: a whole number up to 2147483647)",
                "floors: 2147483648 | floors: 2147483648 (expected: a whole number up to 2147483647)",
                "floors: 0x10      | floors: 0x10 (expected: a whole number up to 2147483647)",
                "floors: \"3\"     | floors: \"3\" (expected: a whole number up to 2147483647, without quotes)",
                "floors: [1]       | floors: (a list) (expected: a whole number up to 2147483647)",
                "floors:           | floors: (empty) (expected: a whole number up to 2147483647)",
                "ring: 30          | ring: 30 (expected: a duration such as 500ms, 30s, 5m, 1h or 1d, in quotes)",
                "ring: 1h30m       | ring: 1h30m (expected: a duration such as 500ms, 30s, 5m, 1h or 1d)",
                "ring: -5s         | ring: -5s (expected: a duration such as 500ms, 30s, 5m, 1h or 1d)",
                "ring: 8d          | ring: 8d (expected: at most 7d)",
                "letter-box: 1mb   | letter-box: 1mb (expected: a size such as 512B, 8KiB or 1MiB (KB, MB and GB are the same))",
                "page: /plan       | page: /plan (expected: an absolute URI such as https://name.example)",
                "page: 'http://a b' | page: http://a b (expected: an absolute URI such as https://name.example)",
                "page: ''          | page: \"\" (expected: an absolute URI such as https://name.example)",
                "plan: ''          | plan: \"\" (expected: a path)",
                "colour: Red       | colour: Red (expected: one of red, dark-blue)",
                "colour: dark_blue | colour: dark_blue (expected: one of red, dark-blue)",
                "number: '#3'      | number: #3 (expected: # and an even number)",
                "number: '#x'      | number: #x (expected: a valid even)",
                "people: alice     | people: alice (expected: a list: [...])",
                "people: {a: b}    | people: (a section) (expected: a list)",
                "people: [true]    | people[0]: true (expected: text, in quotes)",
                "people: [0123]    | people[0]: 0123 (expected: text, in quotes)",
                "people: [a, ~]    | people[1]: (empty) (expected: text)",
                "let: [1, 2, 1]    | let[2]: 1 (expected: each value once)",
                "doors: [a]        | doors: (a list) (expected: names, each with its value)",
                "doors: {back: {}} | doors.back.width: (absent) (expected: How wide it is, in centimetres.)",
                "doors: {back: shut} | doors.back: shut (expected: the word open, or a section)",
                "front-door: {width: 501} | front-door.width: 501 (expected: at most 500)",
                "front-door: {width: 90, locked: 'yes'} | front-door.locked: \"yes\" (expected: true or false, without quotes)",
                "front-door: {width: 90, locked: no} | front-door.locked: no (expected: true or false)",
                "front-door: {width: 90, lokced: true} | front-door.lokced: unknown key (expected: locked)",
                "front-door: {width: 90, colour: red} | front-door.colour: unknown key (expected: one of width, locked)",
                "frontDoor: open   | frontDoor: unknown key (expected: front-door)",
            })
    void a_wrong_value_is_refused_with_what_was_expected(String line, String message) {
        bind("name: x\n" + line);

        assertThat(findings.all()).extracting(Finding::toString).containsExactly(message);
        assertThat(findings.all()).extracting(Finding::line).containsExactly(2);
    }

    @Test
    void a_document_that_is_no_section_is_refused() {
        assertThat(RecordBinder.bind("[a]", Street.class, findings)).isNull();

        assertThat(findings.all())
                .extracting(Finding::toString)
                .containsExactly("(a list) (expected: a section with houses)");
    }

    @Test
    void everything_that_is_wrong_is_found_at_once_with_its_path_and_line() {
        var street = RecordBinder.bind("""
                houses:
                  first:
                    name: one
                    florrs: 3
                  second:
                    ring: soon
                    doors:
                      back:
                        width: 900
                  third:
                    name: three
                """, Street.class, findings);

        assertThat(requireNonNull(street).houses()).containsOnlyKeys("first", "third");
        assertThat(findings.all().stream().map(finding -> finding.in("houses.yaml")))
                .containsExactly(
                        "houses.yaml:4: houses.first.florrs: unknown key (expected: floors)",
                        "houses.yaml:5: houses.second.name: (absent) (expected: The name on the bell.)",
                        "houses.yaml:6: houses.second.ring: soon (expected: a duration such as 500ms, 30s, 5m, 1h or 1d)",
                        "houses.yaml:9: houses.second.doors.back.width: 900 (expected: at most 500)");
    }

    @Test
    void a_check_after_binding_gets_the_line_of_its_path_too() {
        RecordBinder.bind("houses:\n  first:\n    name: one\n", Street.class, findings);

        findings.at("houses").child("first").child("people").element(3).reject("x", "y");

        assertThat(findings.all()).containsExactly(new Finding("houses.first.people[3]", "x", "y", 2));
    }

    @Test
    void a_record_whose_component_is_no_setting_is_a_bug() {
        record Undocumented(@Setting("a") String a, String b) {}

        assertThatIllegalArgumentException()
                .isThrownBy(() -> RecordBinder.bind("{a: x}", Undocumented.class, findings))
                .withMessageEndingWith("Undocumented.b: no @Setting (expected: one)");
    }

    @Test
    void a_type_that_cannot_be_written_in_a_file_is_a_bug() {
        record Running(@Setting("a") Thread thread) {}

        assertThatIllegalArgumentException()
                .isThrownBy(() -> RecordBinder.bind("{thread: x}", Running.class, findings))
                .withMessageContaining("expected: a type that can be written in the file");
    }

    private @Nullable House bind(String yaml) {
        return RecordBinder.bind(yaml, House.class, findings);
    }
}
