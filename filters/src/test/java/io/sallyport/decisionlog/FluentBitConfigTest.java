// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.decisionlog.file.FileConfig;
import io.sallyport.decisionlog.file.RotatingFile;
import io.sallyport.docs.GeneratedPage;
import io.sallyport.pipeline.FakeRequest;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.springframework.util.unit.DataSize;

/** What {@code config/fluent-bit/fluent-bit.yaml} takes for granted about the decision log, without running Fluent Bit. */
class FluentBitConfigTest {
    private final Map<?, ?> file = read();
    private final Map<?, ?> tail = only(at(at(file, "pipeline"), "inputs"));

    @TempDir
    Path folder;

    @Test
    void the_pattern_matches_the_written_file_and_the_rotated_ones_and_no_others() throws IOException {
        var clock = new MovableClock(FakeRequest.NOW);
        var sink =
                new RotatingFile(new FileConfig(folder.resolve("decisions.jsonl"), DataSize.ofMegabytes(1), 2), clock);
        var line = ("x".repeat(600_000) + "\n").getBytes(UTF_8);
        sink.write(line);
        sink.write(line);
        sink.close();
        Files.createFile(folder.resolve("decisions.key"));

        var pattern = Path.of(text(at(file, "env"), "decisions")).getFileName();
        var matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern);
        var matched = new TreeSet<String>();
        try (var all = Files.list(folder)) {
            all.map(Path::getFileName)
                    .filter(matcher::matches)
                    .map(Path::toString)
                    .forEach(matched::add);
        }

        assertThat(text(tail, "path")).isEqualTo("${decisions}");
        assertThat(matched).containsExactly("decisions-20261122T120000.000Z.jsonl", "decisions.jsonl");
    }

    @Test
    void the_offsets_and_the_chunks_are_kept_on_disk() {
        assertThat(text(tail, "db")).startsWith("${state}/");
        assertThat(tail.get("read_from_head")).isEqualTo(true);
        assertThat(tail.get("db.compare_filename")).isEqualTo(true);
        assertThat(text(tail, "storage.type")).isEqualTo("filesystem");
        assertThat(text(at(file, "service"), "storage.path")).startsWith("${state}/");
    }

    @Test
    void a_line_of_nothing_but_the_longest_texts_fits_the_buffer() {
        var max = DataSize.parse(text(tail, "buffer_max_size").toUpperCase(Locale.ROOT) + "B");

        assertThat((long) EcsLineTest.longestLine().length)
                .isLessThan(DataSize.ofKilobytes(256).toBytes());
        assertThat(max).isGreaterThan(DataSize.ofKilobytes(256));
    }

    @Test
    void the_parser_knows_the_timestamp_of_a_record() {
        var parser = only(at(file, "parsers"));

        assertThat(text(tail, "parser")).isEqualTo(parser.get("name"));
        assertThat(text(parser, "time_key")).isEqualTo("@timestamp");
        // The same pattern in this platform's letters; %L is the fraction.
        assertThat(text(parser, "time_format")).isEqualTo("%Y-%m-%dT%H:%M:%S.%LZ");
        var format = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
        assertThat(format.parse(EcsLineTest.timestamp(), Instant::from)).isEqualTo(FakeRequest.NOW);
    }

    private static Map<?, ?> read() {
        try {
            var text = Files.readString(GeneratedPage.top().resolve("config/fluent-bit/fluent-bit.yaml"));
            return (Map<?, ?>) new Load(LoadSettings.builder().build()).loadFromString(text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Object at(Object map, String key) {
        return requireNonNull(((Map<?, ?>) map).get(key), key);
    }

    private static String text(Object map, String key) {
        return (String) at(map, key);
    }

    private static Map<?, ?> only(Object list) {
        assertThat((List<?>) list).hasSize(1);
        return (Map<?, ?>) ((List<?>) list).getFirst();
    }
}
