// SPDX-License-Identifier: Apache-2.0
package io.sallyport.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** {@code docs/http-conformance.md}: each requirement names a test that is there. */
final class HttpConformancePageTest {
    private static final Pattern TEST = Pattern.compile("`([A-Z][A-Za-z0-9]+(?:Test|IT))\\.([a-zA-Z0-9_]+)`");
    private static final Pattern INHERITS = Pattern.compile("class [A-Za-z0-9]+ extends ([A-Za-z0-9]+)");

    private final String page = Files.readString(GeneratedPage.top().resolve("docs/http-conformance.md"));
    private final Map<String, Path> sources = new HashMap<>();

    HttpConformancePageTest() throws IOException {
        for (var module : List.of("filters", "gateway-app")) {
            try (var files = Files.walk(GeneratedPage.top().resolve(module).resolve("src/test/java"))) {
                files.filter(file -> file.toString().endsWith(".java"))
                        .forEach(file -> sources.put(file.getFileName().toString(), file));
            }
        }
    }

    @Test
    void every_requirement_names_a_test() {
        var rows = page.lines()
                .takeWhile(line -> !line.startsWith("## Decided otherwise"))
                .filter(line -> line.startsWith("| ") && !line.startsWith("| Section"))
                .toList();

        assertThat(rows)
                .hasSizeGreaterThan(100)
                .allSatisfy(row -> assertThat(TEST.matcher(row).find()).isTrue());
    }

    @Test
    void every_test_that_the_page_names_is_there() {
        assertThat(TEST.matcher(page).results().toList())
                .allSatisfy(named -> assertThat(has(named.group(1), named.group(2)))
                        .as(named.group())
                        .isTrue());
    }

    private boolean has(String test, String method) throws IOException {
        var file = sources.get(test + ".java");
        if (file == null) {
            return false;
        }
        var source = Files.readString(file);
        var parent = INHERITS.matcher(source);
        return source.contains(" void " + method + "(") || (parent.find() && has(parent.group(1), method));
    }
}
