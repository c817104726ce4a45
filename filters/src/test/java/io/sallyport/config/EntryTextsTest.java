// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A long section that is bound entry by entry, beside the same text bound as a whole. */
final class EntryTextsTest {
    record Bed(
            @Setting("What grows there.") String plant,

            @Setting(value = "Its rows.", byDefault = "1") int rows,

            @Setting(value = "Who waters it.", byDefault = "[]")
            List<String> people) {}

    record Garden(
            @Setting("Whose it is.") @Nullable String owner,
            @Setting("The beds.") Map<String, Bed> beds,
            @Setting("Its gate.") @Nullable String gate) {}

    record Plot(
            @Setting("The garden.") Garden garden,
            @Setting("A note.") @Nullable String note) {}

    private static final String GARDEN = """
            # A garden.
            garden:
              owner: alice
              beds: # by name
                # the first
                north:
                  plant: rose
                  rows: 3

                south: { plant: tulip, people: [alice,
                  bob] }
              # the last
                east:
                  people:
                  - carol
                  plant: |
                    grass: tall
                  # no more
              gate: "open"
            note: x
            """;

    private final RecordBinder binder = new RecordBinder(Path.of(""));
    private final Findings findings = new Findings();

    @Test
    void a_file_that_is_written_line_by_line_is_bound_entry_by_entry_to_what_the_whole_says() {
        var bound = requireNonNull(bind(GARDEN, null));

        assertThat(requireNonNull(bound.texts()).names()).containsExactly("north", "south", "east");
        assertThat(bound.value()).isEqualTo(RecordBinder.bind(GARDEN, Plot.class, findings));
        assertThat(bound.value().garden().beds().keySet()).containsExactly("north", "south", "east");
        assertThat(findings.isEmpty()).isTrue();
    }

    @Test
    void lines_may_end_as_on_windows() {
        var bound = requireNonNull(bind(GARDEN.replace("\n", "\r\n"), null));

        assertThat(bound.texts()).isNotNull();
        assertThat(bound.value()).isEqualTo(RecordBinder.bind(GARDEN, Plot.class, findings));
    }

    @Test
    void an_entry_in_the_same_words_is_the_same_object_wherever_it_stands_now() {
        var before = requireNonNull(bind(beds(IntStream.range(0, 200)), null));
        var moved = beds(IntStream.concat(IntStream.of(500, 199, 3), IntStream.range(100, 198)))
                .replace("plant 150", "another plant")
                .replace("owner: alice", "owner: bob");

        var after = requireNonNull(bind(moved, before));

        assertThat(after.value()).isEqualTo(RecordBinder.bind(moved, Plot.class, findings));
        after.value().garden().beds().forEach((name, bed) -> {
            var earlier = before.value().garden().beds().get(name);
            if (List.of("bed-500", "bed-150").contains(name)) {
                assertThat(bed).isNotEqualTo(earlier);
            } else {
                assertThat(bed).isSameAs(earlier);
            }
        });
    }

    @Test
    void an_entry_whose_words_are_under_another_name_now_is_another_object() {
        var before = requireNonNull(bind(beds(IntStream.range(0, 2)), null));
        var renamed = beds(IntStream.range(0, 2)).replace("bed-0:", "bed-9:");

        var after = requireNonNull(bind(renamed, before)).value().garden().beds();

        assertThat(after.keySet()).containsExactly("bed-9", "bed-1");
        assertThat(after.get("bed-9"))
                .isNotSameAs(before.value().garden().beds().get("bed-0"));
    }

    /** Each of these is cut wrongly by its indentation, or is not allowed across entries. The whole file decides. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "garden:\n  owner: \"\n  beds:\n    a: { plant: x }\n  \"\n  beds:\n    b: { plant: y }\n",
                "garden:\n  owner: \"\n  beds:\n    a: { plant: x }\n  \"\n  beds:\n",
                "garden:\n  owner: '\n  beds:\n    a: { plant: x }\n  '\n  beds: {}\n",
                "garden:\n  owner: |\n    beds:\n      a: { plant: x }\n  beds:\n    b: { plant: y }\n",
                "garden:\n  {\n  beds:\n    a: { plant: x }\n  }\n",
                "garden:\n  beds: {\n    a: { plant: x },\n    b: { plant: y } }\n",
                "garden:\n  beds:\n    { a: { plant: x } }\n",
                "garden:\n  beds:\n    a: { plant: \"x\n    b: { plant: y }\" }\n",
                "garden:\n  beds:\n    a: { plant: x\n    b: { plant: y }\n",
                "garden:\n  beds:\n    a: &bed { plant: x }\n    b: *bed\n",
                "garden:\n  beds:\n    a: { plant: x }\n    a: { plant: x }\n",
                "garden:\n  beds:\n    a: { plant: x }\n    b: { plant: x }\n    a: { plant: x }\n",
                "garden:\n  beds:\n    a: { plant: x }\n   b: { plant: y }\n",
                "garden:\n  beds:\n    a: { plant: x }\n     b: { plant: y }\n",
                "garden:\n  beds:\n  - a\n",
                "garden:\n  beds:\n    a:\n    - plant\n",
                "garden:\n  beds:\n    \"a\": { plant: x }\n",
                "garden:\n  beds:\n    ? a\n    : { plant: x }\n",
                "garden:\n  beds:\n    null: { plant: x }\n",
                "garden:\n  beds:\n    a: { plant: x }\n    true: { plant: y }\n",
                "garden:\n  beds:\n    a: { plant: x }\n\tb: { plant: y }\n",
                "garden:\n  beds:\n    a: { plant: x }\n---\nnote: x\n",
                "garden:\n  beds:\n    a: { plant: x }\n...\nnote: x\n",
                "garden:\n  beds:\n    a: { plant: x }\n  beds:\n    b: { plant: y }\n",
                "garden:\n  beds:\n    a: { plant: x }\ngarden:\n  beds: {}\n",
                "garden:\n  beds:\n    a: { plant: x }\n  colour: red\n",
                "garden:\n  beds:\n    a: { plant: x, colour: red }\n    b: {}\n    c: { plant: y }\n",
                "garden:\n  beds:\n    here-stand-the-entries-of-the-section:\n",
                "garden:\n  beds:\n",
                "garden:\n  owner: x\n  x:\n    beds:\n      a: { plant: x }\n",
                "note: x\n",
                "note: |\n garden:\n   beds:\n     a: { plant: x }\n",
                "%TAG ! x\n---\ngarden:\n  beds:\n    a: { plant: x }\n",
                "garden:\n  beds:\n    a: { plant: \"\\x",
                "\uFEFFgarden:\n  beds:\n    a: { plant: x }\n",
                "garden:\n  beds:\n    a: { plant: x\u2028    b: y }\n",
                "",
            })
    void what_only_looks_like_entries_says_what_the_whole_says(String yaml) {
        var wholeFindings = new Findings();
        var whole = RecordBinder.bind(yaml, Plot.class, wholeFindings);

        var bound = bind(yaml, null);
        var known =
                binder.bind(yaml.getBytes(StandardCharsets.UTF_8), Plot.class, "garden", "beds", bound, new Findings());

        assertThat(findings.all()).isEqualTo(wholeFindings.all());
        assertThat(bound == null ? null : bound.value()).isEqualTo(whole);
        assertThat(known == null ? null : known.value()).isEqualTo(whole);
    }

    @Test
    void everything_that_is_wrong_in_many_entries_is_found_at_once_with_its_line() {
        var wrong = beds(IntStream.range(0, 200)).replace("plant 7 ", "[]").replace("rows: 150", "rows: many")
                + "colour: red\n";

        bind(wrong, null);

        assertThat(findings.all())
                .extracting(finding -> finding.in("plot.yaml"))
                .containsExactly(
                        "plot.yaml:26: garden.beds.bed-7.plant: (a list) (expected: text)",
                        "plot.yaml:456: garden.beds.bed-150.rows: many (expected: a whole number up to 2147483647)",
                        "plot.yaml:605: colour: unknown key (expected: one of garden, note)");
    }

    @Test
    void bytes_that_are_not_utf_8_are_refused_and_the_character_that_stands_for_such_is_not() {
        assertThat(binder.bind(new byte[] {(byte) 0xff}, Plot.class, "garden", "beds", null, findings))
                .isNull();
        assertThat(findings.all()).containsExactly(new Finding("", "not UTF-8", "UTF-8 text"));

        var bound = bind(GARDEN.replace("rose", "ro\uFFFDse"), null);
        assertThat(requireNonNull(bound).value().garden().beds().get("north"))
                .isEqualTo(new Bed("ro\uFFFDse", 3, List.of()));
    }

    private static String beds(IntStream numbers) {
        return numbers.mapToObj(i -> "    bed-%d:\n      plant: plant %d \n      rows: %d\n".formatted(i, i, i))
                .collect(Collectors.joining("", "garden:\n  owner: alice\n  beds:\n", "note: x\n"));
    }

    private @Nullable Bound<Plot> bind(String yaml, @Nullable Bound<Plot> before) {
        return binder.bind(yaml.getBytes(StandardCharsets.UTF_8), Plot.class, "garden", "beds", before, findings);
    }
}
