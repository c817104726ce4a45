// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import io.sallyport.app.demo.DecisionRecords;
import io.sallyport.app.demo.DemoCase;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** {@code demo --once}: sends every request itself, and compares answer and record with what they have to be. */
final class DemoTour {
    private static final Duration RECORD_WITHIN = Duration.ofSeconds(5);
    private static final String NONE = "-";
    private static final String OK = "ok";
    private static final String DIFFERS = "DIFFERS";

    private final DemoSession demo;
    private final Terminal terminal;
    private final DecisionRecords records;
    private boolean good = true;
    private DecisionRecords.@Nullable Decision lastRefusal;

    DemoTour(DemoSession demo, Terminal terminal) {
        this.demo = demo;
        this.terminal = terminal;
        this.records = new DecisionRecords(demo.parts().decisionLog());
    }

    /** Returns whether everything was as it has to be. */
    boolean run() throws IOException, InterruptedException, ExecutionException {
        var rows = new ArrayList<List<String>>();
        for (var demoCase : DemoCase.values()) {
            rows.add(row(demoCase));
        }
        terminal.table(List.of("case", "expected", "actual", "reason in record", "ok"), rows, this::coloured);
        terminal.line();

        terminal.table(
                List.of("while requests go on", "requests", "failed", "generations used", "ok"),
                List.of(row(DemoRotation.ofSvid(demo)), row(DemoRotation.ofIssuerKey(demo))),
                this::coloured);
        terminal.line();

        terminal.table(
                List.of("bytes of requests that reached the wrong upstream", "actual", "ok"),
                List.of(impostor()),
                this::coloured);
        terminal.line();

        terminal.line("  " + terminal.strong("the record of the last refusal, as `sallyport demo` shows it"));
        if (lastRefusal != null) {
            new DecisionPrinter(terminal).print(lastRefusal);
        }
        return good;
    }

    private List<String> impostor() {
        var bytes = demo.parts().impostor().bytesReceived();
        return List.of("expected: 0", String.valueOf(bytes), verdict(bytes == 0));
    }

    private List<String> row(DemoCase demoCase) throws IOException, InterruptedException {
        var answer = demo.client().send(demoCase);
        var record = answer.requestId() == null ? null : records.await(answer.requestId(), RECORD_WITHIN);
        var reason = record == null ? "(no record)" : orNone(record.field("event.reason"));
        var expectedReason = demoCase.expectedReason() == null
                ? NONE
                : demoCase.expectedReason().code();
        if (record != null && demoCase.expectedReason() != null) {
            lastRefusal = record;
        }
        var matches = answer.status() == demoCase.expectedStatus() && reason.equals(expectedReason);
        return List.of(
                demoCase.title(),
                "%d %s".formatted(demoCase.expectedStatus(), expectedReason),
                String.valueOf(answer.status()),
                reason,
                verdict(matches));
    }

    private List<String> row(DemoRotation.Result result) {
        return List.of(
                result.what() + " is renewed",
                String.valueOf(result.requests()),
                String.valueOf(result.failed()),
                "%d of %d".formatted(result.generations(), result.expectedGenerations()),
                verdict(result.isGood()));
    }

    private String verdict(boolean matches) {
        good &= matches;
        return matches ? OK : DIFFERS;
    }

    private String coloured(String verdict) {
        return verdict.equals(OK) ? terminal.good(verdict) : terminal.bad(verdict);
    }

    private static String orNone(@Nullable String value) {
        return value == null ? NONE : value;
    }
}
