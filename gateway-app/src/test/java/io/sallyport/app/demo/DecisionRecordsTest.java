// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DecisionRecordsTest {
    @TempDir
    Path directory;

    private Path log;
    private DecisionRecords records;

    @BeforeEach
    void open() {
        log = directory.resolve("decisions.log");
        records = new DecisionRecords(log);
    }

    @Test
    void before_the_first_decision_there_is_nothing() throws Exception {
        assertThat(records.poll()).isEmpty();
    }

    @Test
    void a_line_is_read_once_and_only_when_it_is_complete() throws Exception {
        append("{\"event\":{\"reason\":\"a.b\"}}\n{\"event\":{\"rea");
        assertThat(records.poll())
                .extracting(decision -> decision.field("event.reason"))
                .containsExactly("a.b");
        assertThat(records.poll()).isEmpty();

        append("son\":\"c.d\"}}\n");

        assertThat(records.poll())
                .extracting(decision -> decision.field("event.reason"))
                .containsExactly("c.d");
    }

    @Test
    void a_file_that_was_rotated_is_read_from_its_beginning() throws Exception {
        append("{\"n\":1,\"padding\":\"xxxxxxxxxxxxxxxxxxxx\"}\n");
        records.poll();

        Files.writeString(log, "{\"n\":2}\n");

        assertThat(records.poll()).extracting(decision -> decision.field("n")).containsExactly("2");
    }

    @Test
    void a_field_is_found_by_its_dotted_name_whether_the_log_nests_it_or_not() throws Exception {
        append("{\"a.b\":\"flat\",\"c\":{\"d\":\"nested\"},\"e\":[1,2],\"f\":null}\n");

        var decision = records.poll().getFirst();

        assertThat(decision.field("a.b")).isEqualTo("flat");
        assertThat(decision.field("c.d")).isEqualTo("nested");
        assertThat(decision.field("e")).isEqualTo("[1,2]");
        assertThat(decision.field("f")).isNull();
        assertThat(decision.field("g.h")).isNull();
    }

    @Test
    void who_waits_for_a_request_that_was_never_made_gives_up() throws Exception {
        append("{\"n\":1}\n");

        assertThat(records.await("0198c1f2-0000-7000-8000-000000000000", Duration.ofMillis(50)))
                .isNull();
    }

    private void append(String text) throws IOException {
        Files.writeString(log, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
}
