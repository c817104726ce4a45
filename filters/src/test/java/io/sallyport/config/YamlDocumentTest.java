// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class YamlDocumentTest {
    private final Findings findings = new Findings();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "a: &x 1           | a.yaml:1: a: &x (expected: no anchor: write the value out)",
                "a: {b: *x}        | a.yaml:1: a.b: *x (expected: no alias: write the value out)",
                "a: !!int 1        | a.yaml:1: a: the tag tag:yaml.org,2002:int (expected: no tag)",
                "a: !x {}          | a.yaml:1: a: the tag !x (expected: no tag)",
                "a: [!x []]        | a.yaml:1: a[0]: the tag !x (expected: no tag)",
                "a: ! x            | a.yaml:1: a: the tag ! (expected: no tag)",
                "<<: {a: 1}        | a.yaml:1: <<: a merge key (expected: no merge: write the keys out)",
                "[a]: b            | a.yaml:1: (a list) as a key (expected: a text as a key)",
                "~: b              | a.yaml:1: (empty) as a key (expected: a text as a key)",
                "x: {a: 1, a: 2}   | a.yaml:1: x.a: a duplicate key (expected: each key once; it stands on line 1 already)",
                "#                 | a.yaml: an empty file (expected: the key sallyport)",
            })
    void what_can_be_read_in_two_ways_is_refused(String yaml, String message) {
        YamlDocument.parse(yaml, findings);

        assertThat(findings.all().stream().map(finding -> finding.in("a.yaml"))).containsExactly(message);
    }

    @Test
    void all_of_it_is_refused_at_once() {
        YamlDocument.parse("a: &x 1\nb: *x\nc: 1\nc: 2\n", findings);

        assertThat(findings.all()).extracting(Finding::line).containsExactly(1, 2, 4);
    }

    @Test
    void a_second_document_is_refused() {
        assertThat(YamlDocument.parse("a: 1\n---\nb: 2\n", findings)).isNull();

        assertThat(findings.all()).containsExactly(new Finding("", "a second document", "one document in the file", 3));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a: \"\\x", "a: \"\\x4\"", "a: \"\\u12", "a: \"\\U00110000\"", "a: \"\\UFFFFFFFF\""})
    void an_escape_that_is_cut_or_no_character_is_refused(String yaml) {
        assertThat(YamlDocument.parse(yaml, findings)).isNull();

        assertThat(findings.all())
                .hasSize(1)
                .allSatisfy(finding -> assertThat(finding.value()).startsWith("not YAML: "));
    }

    @Test
    void text_that_is_not_yaml_is_refused_with_its_line_and_column() {
        assertThat(YamlDocument.parse("a: 1\nb: [1, 2\nc: 3\n", findings)).isNull();

        assertThat(findings.all())
                .containsExactly(new Finding("", "not YAML: expected ',' or ']', but got :", "valid YAML", 3, 2));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "a:;    b: 1;  c: 2;   | a.yaml:3:3: a: not YAML: line 3 is indented by 2 (expected: 4, as b on line 2: what stands below a (line 1) is indented alike)",
                "a:;  b: 1;    c: 2;   | a.yaml:3:5: a: not YAML: line 3 is indented by 4 (expected: 2, as b on line 2: what stands below a (line 1) is indented alike)",
                "a:;  b:;    c: 1;   d: 2; | a.yaml:4:4: a.b: not YAML: line 4 is indented by 3 (expected: 4, as c on line 3: what stands below b (line 2) is indented alike)",
                "a:;  # c;  - b: 1;     c: 2; | a.yaml:4:6: a: not YAML: line 4 is indented by 5 (expected: 4, as b on line 3: what stands below - (line 3) is indented alike)",
                "a:;  b: 1;;\tc: 2; | a.yaml:4:1: a tab before the line's first character (expected: spaces)",
            })
    void a_wrong_indentation_is_told_with_line_column_and_the_key_above(String yaml, String message) {
        var text = yaml.replace(';', '\n').replace("\\t", "\t");
        assertThat(YamlDocument.parse(text, findings)).isNull();

        assertThat(findings.all().stream().map(finding -> finding.in("a.yaml"))).containsExactly(message);
    }

    @Test
    void nesting_without_end_is_refused() {
        assertThat(YamlDocument.parse("[".repeat(10_000), findings)).isNull();

        assertThat(findings.all())
                .containsExactly(new Finding("", "not YAML: nested deeper than 64, line 1", "valid YAML"));
    }

    @Test
    void bytes_that_are_not_utf_8_are_refused() {
        assertThat(YamlDocument.parse(new byte[] {'a', ':', ' ', (byte) 0xff}, findings))
                .isNull();

        assertThat(findings.all()).containsExactly(new Finding("", "not UTF-8", "UTF-8 text"));
    }

    @Test
    void a_file_that_is_not_there_is_refused(@TempDir Path folder) {
        assertThat(YamlDocument.readBytes(folder.resolve("gateway.yaml"), findings))
                .isNull();

        assertThat(findings.all())
                .containsExactly(new Finding(
                        "", "not readable: there is no such file", "a YAML file that this process may read"));
    }

    @Test
    void a_file_that_is_too_large_is_refused(@TempDir Path folder) throws IOException {
        var file = folder.resolve("gateway.yaml");
        Files.writeString(file, "#".repeat(YamlDocument.MAX_BYTES + 1), StandardCharsets.US_ASCII);

        assertThat(YamlDocument.readBytes(file, findings)).isNull();

        assertThat(findings.all()).containsExactly(new Finding("", "more than 33554432 bytes", "at most 32 MiB"));
    }
}
