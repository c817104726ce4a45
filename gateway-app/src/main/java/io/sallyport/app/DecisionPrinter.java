// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import io.sallyport.app.demo.DecisionRecords;
import io.sallyport.decision.Reason;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Shows a line of the decision log as a few lines that one can read. */
final class DecisionPrinter {
    private static final Map<String, Reason> REASONS =
            Arrays.stream(Reason.values()).collect(Collectors.toUnmodifiableMap(Reason::code, Function.identity()));

    private final Terminal terminal;

    DecisionPrinter(Terminal terminal) {
        this.terminal = terminal;
    }

    void print(DecisionRecords.Decision decision) {
        var code = decision.field("event.reason");
        var status = orNone(decision.field("http.response.status_code"));
        var headline = "%s %s  %s"
                .formatted(
                        orNone(decision.field("http.request.method")),
                        orNone(decision.field("url.path")),
                        code == null ? "allowed" : code);
        terminal.line("  %s  %s  %s"
                .formatted(
                        terminal.faint(time(decision)),
                        code == null ? terminal.good(status) : terminal.bad(status),
                        terminal.strong(headline)));
        var reason = code == null ? null : REASONS.get(code);
        if (reason != null) {
            detail("meaning", reason.meaning());
            detail("what to do", reason.remedy());
        }
        detail("route", decision.field("sallyport.route"));
        detail("client", decision.field("sallyport.client_id"));
        detail("subject", decision.field("user.id"));
        detail("rules", list(decision.field("rule.name")));
        detail("risk", risk(decision));
        detail("expected ID", decision.field("sallyport.upstream.expected_ids"));
        detail("actual ID", decision.field("sallyport.upstream.spiffe_id"));
        detail("detail", decision.field("sallyport.detail"));
        detail("repeats", decision.field("sallyport.repeat_count"));
        detail("request id", decision.field(DecisionRecords.REQUEST_ID));
    }

    private static @Nullable String risk(DecisionRecords.Decision decision) {
        var score = decision.field("sallyport.risk.score");
        return score == null ? null : "%s of 100 (%s)".formatted(score, list(decision.field("sallyport.risk.reasons")));
    }

    /** A JSON list as a human writes one. */
    private static @Nullable String list(@Nullable String json) {
        return json == null ? null : json.replaceAll("[\\[\\]\"]", "").replace(",", ", ");
    }

    private void detail(String name, @Nullable String value) {
        if (value != null) {
            terminal.line("    %-12s %s".formatted(name, value));
        }
    }

    private static String time(DecisionRecords.Decision decision) {
        var timestamp = orNone(decision.field("@timestamp"));
        var t = timestamp.indexOf('T');
        return t > 0 && timestamp.length() >= t + 9 ? timestamp.substring(t + 1, t + 9) : timestamp;
    }

    private static String orNone(@Nullable String value) {
        return value == null ? "-" : value;
    }
}
