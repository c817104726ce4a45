// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

import static java.util.function.Predicate.not;
import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.docs.GeneratedPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What has been published of the registry: alerts and clients are built on it. A code that is gone, or has another status or public code,
 * fails the build; a new one is added to the list by {@code make docs}.
 */
final class PublishedReasonsTest {
    private static final Path PUBLISHED =
            GeneratedPage.top().resolve("filters/src/test/resources/io/sallyport/decision/published-reasons.txt");

    @Test
    void a_published_reason_is_what_it_was() throws IOException {
        assertThat(registry()).containsAll(Files.readAllLines(PUBLISHED));
    }

    @Test
    void every_reason_is_published() throws IOException {
        if (Boolean.getBoolean("sallyport.docs.update")) {
            publishNew();
        }
        assertThat(Files.readAllLines(PUBLISHED)).containsAll(registry());
    }

    /** Appends, and changes no line: that takes a human, and a heading in the changelog. */
    private static void publishNew() throws IOException {
        var published = Files.readAllLines(PUBLISHED);
        var codes = published.stream().map(PublishedReasonsTest::codeOf).toList();
        var lines = Stream.concat(
                        published.stream(), registry().stream().filter(not(line -> codes.contains(codeOf(line)))))
                .sorted()
                .toList();
        Files.writeString(PUBLISHED, String.join("\n", lines) + "\n");
    }

    private static String codeOf(String line) {
        return line.substring(0, line.indexOf(' '));
    }

    private static List<String> registry() {
        return Arrays.stream(Reason.values())
                .map(reason -> "%s %d %s"
                        .formatted(
                                reason.code(),
                                reason.status(),
                                reason.publicCode().code()))
                .toList();
    }
}
