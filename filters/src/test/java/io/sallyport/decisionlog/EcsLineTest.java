// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.decision.Evidence;
import io.sallyport.decision.Mode;
import io.sallyport.decision.Reason;
import io.sallyport.docs.GeneratedPage;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RiskScore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The fields of a line, against the page that promises them. */
class EcsLineTest {
    private static final Pattern DOCUMENTED = Pattern.compile("^\\| `([a-z@][a-z0-9_.@]*)`", Pattern.MULTILINE);

    @Test
    void every_field_that_a_record_can_have_is_documented_and_no_other() throws IOException {
        var written = new TreeSet<String>();
        for (var kind : DecisionRecord.Kind.values()) {
            written.addAll(fieldsOf(record("x", kind, null)));
        }
        written.addAll(fieldsOf(
                record("x", DecisionRecord.Kind.REFUSED, new DecisionRecord.Repeats(7, FakeRequest.NOW, "/repeats"))));

        var page = Files.readString(GeneratedPage.top().resolve("docs/telemetry.md"));
        var records = page.substring(page.indexOf("## Decision records"), page.indexOf("## Metrics"));
        var documented =
                DOCUMENTED.matcher(records).results().map(row -> row.group(1)).collect(Collectors.toSet());

        assertThat(documented).containsExactlyInAnyOrderElementsOf(written);
    }

    @Test
    void a_record_that_stands_for_others_says_how_many_and_from_when_to_when() {
        var last = FakeRequest.NOW.plusSeconds(59);
        var line = read(record("x", DecisionRecord.Kind.REFUSED, new DecisionRecord.Repeats(7, last, "/repeats")));

        assertThat(line.at("/sallyport/repeat_count").asInt()).isEqualTo(7);
        assertThat(line.at("/@timestamp").asString()).isEqualTo("2026-11-22T12:00:59.000Z");
        assertThat(line.at("/event/start").asString()).isEqualTo("2026-11-22T12:00:00.000Z");
        assertThat(line.at("/event/end").asString()).isEqualTo("2026-11-22T12:00:59.000Z");
        assertThat(line.at("/event/duration").isMissingNode()).isTrue();
    }

    /** A line of texts as long as a hostile issuer and client can make them, each character of which takes six in the line. */
    static byte[] longestLine() {
        return lines().write(record("\u2028".repeat(20_000), DecisionRecord.Kind.REFUSED, null));
    }

    static String timestamp() {
        return read(record("x", DecisionRecord.Kind.REFUSED, null))
                .at("/@timestamp")
                .asString();
    }

    private static EcsLine lines() {
        return new EcsLine(Pseudonyms.open(null), "1.2.3");
    }

    private static JsonNode read(DecisionRecord record) {
        return JsonMapper.shared().readTree(lines().write(record));
    }

    private static Set<String> fieldsOf(DecisionRecord record) {
        var fields = new TreeSet<String>();
        collect("", read(record), fields);
        return fields;
    }

    private static void collect(String prefix, JsonNode object, Set<String> fields) {
        for (var property : object.properties()) {
            var name = prefix + property.getKey();
            if (property.getValue().isObject()) {
                collect(name + ".", property.getValue(), fields);
            } else {
                fields.add(name);
            }
        }
    }

    private static DecisionRecord record(
            String text, DecisionRecord.Kind kind, DecisionRecord.@Nullable Repeats repeats) {
        var evidence = Evidence.NONE;
        for (var key : Evidence.Key.values()) {
            evidence = evidence.with(key, text);
        }
        return new DecisionRecord(
                kind,
                FakeRequest.NOW,
                new UUID(0x7000, 1),
                1_000,
                Mode.ENFORCE,
                Reason.RISK_DENIED,
                List.of(Reason.RISK_DENIED),
                403,
                new DecisionRecord.Caller(address(), text, text, text, text, text, text),
                text,
                text,
                text,
                text,
                text,
                text,
                text,
                text,
                text,
                new RiskScore(80, List.of(text, text, text, text)),
                evidence,
                repeats);
    }

    private static InetAddress address() {
        try {
            return InetAddress.getByAddress(new byte[] {(byte) 192, 0, 2, 7});
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }
}
