// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import dev.cel.common.CelIssue;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Says in plain words what is wrong with a rule, and where: the compiler's own words are made for its authors. */
final class RuleProblem {
    private static final Pattern UNDECLARED = Pattern.compile("undeclared reference to '([^']*)'.*");
    private static final Pattern UNDEFINED_FIELD = Pattern.compile("undefined field '([^']*)'");
    private static final Pattern WRONG_RESULT = Pattern.compile("expected type 'bool' but found '(.*)'");
    private static final Pattern NO_OVERLOAD =
            Pattern.compile("found no matching overload for '([^']*)' applied to '([^']*)'.*", Pattern.DOTALL);
    private static final Pattern TOO_LONG = Pattern.compile("expression code point size exceeds limit.*");
    private static final Pattern TOO_MANY_NODES = Pattern.compile("expression node limit .* exceeded");
    private static final Pattern VARIABLE_BEFORE = Pattern.compile(".*?(\\w+)$", Pattern.DOTALL);

    private RuleProblem() {}

    /**
     * Says what is wrong, to complete the sentence "expected: ...".
     *
     * @param structs the variables that have members, by name
     */
    static String describe(String rule, Collection<CelIssue> issues, Map<String, Struct> structs) {
        return issues.stream()
                .map(issue -> place(rule, issue) + words(rule, issue, structs))
                .distinct()
                .collect(Collectors.joining("; "));
    }

    private static String place(String rule, CelIssue issue) {
        var location = issue.getSourceLocation();
        if (location.getLine() < 1) {
            return "";
        }
        // Columns of the compiler begin at 0, those of people at 1.
        int column = location.getColumn() + 1;
        return rule.indexOf('\n') < 0
                ? "at character %d: ".formatted(column)
                : "at line %d, character %d: ".formatted(location.getLine(), column);
    }

    private static String words(String rule, CelIssue issue, Map<String, Struct> structs) {
        var message = issue.getMessage();
        var undeclared = UNDECLARED.matcher(message);
        if (undeclared.matches()) {
            // The compiler points at a function's parenthesis, and at the beginning of everything else.
            if (textFrom(rule, issue).startsWith("(")) {
                return "there is no function '%s'".formatted(undeclared.group(1));
            }
            var names = new TreeSet<>(structs.keySet());
            names.add(RequestVariables.NOW);
            return "there is no '%s' (there are: %s)".formatted(undeclared.group(1), String.join(", ", names));
        }
        var undefined = UNDEFINED_FIELD.matcher(message);
        if (undefined.matches()) {
            return undefinedMember(undefined.group(1), structs.get(variableBefore(rule, issue)));
        }
        var result = WRONG_RESULT.matcher(message);
        if (result.matches()) {
            return "it answers with a value of type " + result.group(1);
        }
        var overload = NO_OVERLOAD.matcher(message);
        if (overload.matches()) {
            return "'%s' cannot be applied to %s"
                    .formatted(overload.group(1).replace("_", "").replace("@", ""), overload.group(2));
        }
        if (TOO_LONG.matcher(message).matches()) {
            return "it is longer than %d characters".formatted(RuleCompiler.LONGEST_RULE);
        }
        if (TOO_MANY_NODES.matcher(message).matches()) {
            return "it has more than %d parts".formatted(RuleCompiler.MOST_NODES);
        }
        return message.strip();
    }

    private static String undefinedMember(String name, @Nullable Struct struct) {
        if (struct == null) {
            return "there is no member '%s'".formatted(name);
        }
        return struct.members().isEmpty()
                ? "'%s' has no member '%s' (the route's path has no variables)".formatted(struct.name(), name)
                : "'%s' has no member '%s' (it has: %s)"
                        .formatted(
                                struct.name(),
                                name,
                                String.join(", ", new TreeSet<>(struct.members().keySet())));
    }

    // The compiler points at the dot.
    private static String variableBefore(String rule, CelIssue issue) {
        var line = lineOf(rule, issue);
        var before = VARIABLE_BEFORE.matcher(
                line.substring(0, line.length() - textFrom(rule, issue).length()));
        return before.matches() ? before.group(1) : "";
    }

    /** The rest of the line from where the issue is. */
    private static String textFrom(String rule, CelIssue issue) {
        var line = lineOf(rule, issue);
        return line.substring(Math.clamp(issue.getSourceLocation().getColumn(), 0, line.length()));
    }

    private static String lineOf(String rule, CelIssue issue) {
        var lines = List.of(rule.split("\n", -1));
        return lines.get(Math.clamp(issue.getSourceLocation().getLine() - 1L, 0, lines.size() - 1));
    }
}
