// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authorize.AuthorizeModule;
import io.sallyport.authorize.RouteAuthorization;
import io.sallyport.config.Findings;
import io.sallyport.config.RecordBinder;
import io.sallyport.config.Setting;
import io.sallyport.docs.GeneratedPage;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code docs/rules.md} against what rules can really read, and its example against the compiler. */
class RulesPageTest {
    private static final Pattern ROW = Pattern.compile("^\\| `([a-z_.<>]+)` \\|", Pattern.MULTILINE);
    private static final Pattern EXAMPLE = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);

    private final String page = read();

    @Test
    void every_member_is_documented_and_no_other() {
        var members = new TreeSet<String>();
        for (var struct : RequestVariables.structs(RequestVariables.pathStruct(Set.of("<variable>")))) {
            struct.members().keySet().forEach(member -> members.add(struct.name() + "." + member));
        }
        members.add(RequestVariables.NOW);

        assertThat(ROW.matcher(page).results().map(row -> row.group(1)).collect(Collectors.toSet()))
                .containsExactlyInAnyOrderElementsOf(members);
    }

    @Test
    void the_limits_are_those_of_the_compiler() {
        assertThat(page)
                .contains(RuleCompiler.LONGEST_RULE + " characters")
                .contains(RuleCompiler.MOST_NODES + " parts")
                .contains("depth of " + RuleCompiler.DEEPEST)
                .contains(LiteralPatterns.LARGEST_PROGRAM + " instructions")
                .contains(RuleCompiler.MOST_ROUNDS + " rounds");
    }

    record Section(@Setting("As a route has it.") RouteAuthorization authorize) {}

    @Test
    void the_example_loads() {
        var example = EXAMPLE.matcher(page);
        assertThat(example.find()).isTrue();
        var findings = new Findings();

        var section = requireNonNull(RecordBinder.bind(example.group(1), Section.class, findings));
        var rules = AuthorizeModule.inMemory(new SimpleMeterRegistry())
                .compile(section.authorize(), Set.of("tenant"), findings.at("authorize"));

        assertThat(findings.all()).isEmpty();
        assertThat(rules).isNotNull();
    }

    private static String read() {
        try {
            return Files.readString(GeneratedPage.top().resolve("docs/rules.md"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
