// SPDX-License-Identifier: Apache-2.0
package io.sallyport.docs;

import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.decision.Reason;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code docs/reasons.md}, and what it takes for the registry to be worth a page. */
class ReasonsPageTest {
    private static final Map<String, String> ORIGINS = origins();

    private static Map<String, String> origins() {
        var origins = new LinkedHashMap<String, String>();
        origins.put("edge", "Is this request unambiguous?");
        origins.put("flood", "Too many failures or connections from there?");
        origins.put("authenticate", "Who is calling, proven how?");
        origins.put("revocation", "Has this token, session, subject or client been revoked?");
        origins.put("ratelimit", "Is it too much?");
        origins.put("risk", "Is it too strange?");
        origins.put("authorize", "May this caller do this, now?");
        origins.put("route", "Can the upstream take it?");
        origins.put("forward", "Is the upstream really the workload that the route names, and did it answer?");
        origins.put("pipeline", "The frame that the stages stand in.");
        return origins;
    }

    @Test
    void the_committed_page_is_what_the_registry_says() throws IOException {
        GeneratedPage.assertUpToDate("docs/reasons.md", page());
    }

    @Test
    void every_reason_has_one_of_the_known_origins() {
        assertThat(Arrays.stream(Reason.values()).map(Reason::origin)).isSubsetOf(ORIGINS.keySet());
    }

    @Test
    void no_two_reasons_share_a_code() {
        assertThat(Reason.values()).extracting(Reason::code).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @EnumSource
    void a_reason_is_named_like_its_code_and_explained_in_sentences(Reason reason) {
        assertThat(reason.code()).matches("[a-z]+\\.[a-z][a-z0-9_]*").isEqualTo(codeOf(reason));
        assertThat(reason.status()).isBetween(400, 504);
        for (var sentence : List.of(reason.meaning(), reason.remedy())) {
            assertThat(sentence).doesNotContain("|", "\n").matches("\\p{Lu}.*[.?]");
        }
    }

    private static String codeOf(Reason reason) {
        var name = reason.name().toLowerCase(Locale.ROOT);
        return Pattern.compile("_").matcher(name).replaceFirst(".");
    }

    private static String page() {
        var page = new StringBuilder("""
                # Why a request was refused

                Generated from [`Reason`](../filters/src/main/java/io/sallyport/decision/Reason.java) by `make docs`; do not edit it here.

                A record of the decision log names the **code** (`event.reason`), and so do the metric `sallyport_decisions_total` and every
                alert. A client sees the **status**, the coarse **public code** in the problem's `type`, and the request id, by which its
                refusal is found; it never sees the code. Codes are appended, never renamed, and never change their status.

                """);
        var byOrigin = Arrays.stream(Reason.values()).collect(groupingBy(Reason::origin));
        page.append(ORIGINS.keySet().stream()
                        .filter(byOrigin::containsKey)
                        .map(origin -> "[%s](#%s)".formatted(origin, origin))
                        .collect(Collectors.joining(" · ")))
                .append("\n");
        ORIGINS.forEach((origin, question) -> {
            page.append("\n## %s\n\n%s\n\n".formatted(origin, question));
            page.append("| code | status | public code | meaning | what to do |\n|---|---|---|---|---|\n");
            for (var reason : byOrigin.getOrDefault(origin, List.of())) {
                page.append("| `%s` | %d | `%s` | %s | %s |\n"
                        .formatted(
                                reason.code(),
                                reason.status(),
                                reason.publicCode().code(),
                                escaped(reason.meaning()),
                                escaped(reason.remedy())));
            }
        });
        return page.toString();
    }

    // A name with underscores or an asterisk would be read as emphasis.
    private static String escaped(String text) {
        return text.replace("_", "\\_").replace("*", "\\*").replace("<", "&lt;");
    }
}
