// SPDX-License-Identifier: Apache-2.0
package io.sallyport.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code docs/threat-model.md}: a page of claims is worth as much as the tests that it names. */
class ThreatModelPageTest {
    private static final Path PAGE = Path.of("../docs/threat-model.md");
    private static final Pattern TEST = Pattern.compile("\\b[A-Z][A-Za-z0-9]+(?:Test|IT)\\b");
    private static final Pattern LINK = Pattern.compile("]\\(([^)#]+)(?:#[^)]*)?\\)");
    private static final Pattern REASON = Pattern.compile("`((?:edge|forward)\\.[a-z0-9_]+)`");

    private final String page = Files.readString(PAGE);

    ThreatModelPageTest() throws IOException {}

    @Test
    void every_test_that_the_page_names_is_there() throws IOException {
        assertThat(found(TEST, page, 0)).hasSizeGreaterThan(50).isSubsetOf(testClasses());
    }

    @Test
    void every_threat_and_every_vulnerability_names_a_test_or_says_that_there_is_none() {
        var rows = page.lines()
                .dropWhile(line -> !line.startsWith("## Threats"))
                .filter(line -> line.startsWith("| ") && !line.endsWith("shown by |"))
                .toList();

        assertThat(rows)
                .hasSizeGreaterThan(80)
                .allSatisfy(row -> assertThat(TEST.matcher(row).find() || row.contains("no test: "))
                        .isTrue());
    }

    @Test
    void every_link_leads_to_a_file() {
        assertThat(found(LINK, page, 1))
                .isNotEmpty()
                .allSatisfy(link ->
                        assertThat(PAGE.resolveSibling(link).normalize()).exists());
    }

    @Test
    void every_reason_is_one() throws IOException {
        var reasons = Files.readString(Path.of("../docs/reasons.md"));

        assertThat(found(REASON, page, 1))
                .isNotEmpty()
                .allSatisfy(reason -> assertThat(reasons).contains("`" + reason + "`"));
    }

    private static Set<String> found(Pattern pattern, String text, int group) {
        return pattern.matcher(text)
                .results()
                .map((MatchResult match) -> match.group(group))
                .collect(Collectors.toSet());
    }

    private static Set<String> testClasses() throws IOException {
        var names = new HashSet<String>();
        for (var module : List.of("../filters", "../gateway-app")) {
            try (var files = Files.walk(Path.of(module, "src/test/java"))) {
                files.map(file -> file.getFileName().toString())
                        .filter(name -> name.endsWith(".java"))
                        .forEach(name -> names.add(name.substring(0, name.length() - ".java".length())));
            }
        }
        return names;
    }
}
