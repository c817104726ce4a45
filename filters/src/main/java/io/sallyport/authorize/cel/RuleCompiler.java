// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import com.google.common.collect.ImmutableCollection;
import com.google.common.collect.ImmutableList;
import dev.cel.bundle.Cel;
import dev.cel.bundle.CelFactory;
import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelIssue;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
import dev.cel.common.navigation.CelNavigableAst;
import dev.cel.common.types.CelType;
import dev.cel.common.types.CelTypeProvider;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import dev.cel.runtime.Program;
import dev.cel.validator.CelAstValidator;
import dev.cel.validator.validators.DurationLiteralValidator;
import dev.cel.validator.validators.TimestampLiteralValidator;
import io.sallyport.config.Findings;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Turns the rules of one route into programs, or into findings.
 *
 * <p>What bounds a rule's cost: its length, the number of its nodes and their depth, the size of its patterns, and at run time the
 * rounds that all of its {@code all}, {@code exists} and {@code exists_one} may turn together. Macros that build lists are left
 * out: a rule answers yes or no and has no use for them, and without them nothing can grow from round to round.
 */
final class RuleCompiler {
    /** In code points. */
    static final int LONGEST_RULE = 4_096;

    static final int MOST_NODES = 500;
    static final int DEEPEST = 32;

    /** In rounds of all loops of a rule together; a list in a token of 8 KiB has hardly this many elements. */
    static final int MOST_ROUNDS = 1_000;

    private static final CelOptions OPTIONS = CelOptions.current()
            // A claim is as JSON had it, so that 3 and 3.0 are one number.
            .enableHeterogeneousNumericComparisons(true)
            .maxExpressionCodePointSize(LONGEST_RULE)
            .maxParseExpressionNodeCount(MOST_NODES)
            .maxParseRecursionDepth(DEEPEST)
            .maxRegexProgramSize(LiteralPatterns.LARGEST_PROGRAM)
            .comprehensionMaxIterations(MOST_ROUNDS)
            .build();

    // One for all routes, because it takes milliseconds to make. A program holds everything else
    // that it needs, and what the path of a route has was settled when the rule was type-checked.
    private static final CelRuntime RUNTIME = CelRuntimeFactory.plannerRuntimeBuilder()
            .setOptions(OPTIONS)
            .setTypeProvider(Types.of(RequestVariables.structs(RequestVariables.pathStruct(Set.of()))))
            .build();

    private static final List<CelAstValidator> CHECKS =
            List.of(new LiteralPatterns(), TimestampLiteralValidator.INSTANCE, DurationLiteralValidator.INSTANCE);
    // What evaluates literals of time; it needs to know none of our variables.
    private static final Cel LITERALS =
            CelFactory.plannerCelBuilder().setOptions(OPTIONS).build();

    // Compiling a rule takes a third of a megabyte and a millisecond, and the routes of a file have few different ones.
    private static final int MOST_COMPILERS = 8;
    private static final int MOST_PROGRAMS = 64;
    private static final Map<Kind, RuleCompiler> COMPILERS = recent(MOST_COMPILERS);

    /** @param rules whether each expression has to answer true or false */
    private record Kind(Set<String> pathVariables, boolean rules) {}

    /** An expression that is right. */
    record Compiled(Program program, Reads reads) {}

    private final boolean rules;
    private final Struct path;
    private final Map<String, Struct> structs;
    private final CelCompiler compiler;
    private final Map<String, Compiled> programs = recent(MOST_PROGRAMS);

    /**
     * The compiler of rules on a route whose {@code path} has these members. Routes that have the same rule share its program,
     * which depends on nothing but the two and never changes.
     */
    static RuleCompiler ofRules(Set<String> pathVariables) {
        return of(new Kind(Set.copyOf(pathVariables), true));
    }

    /** The same of expressions that may answer anything. */
    static RuleCompiler ofValues(Set<String> pathVariables) {
        return of(new Kind(Set.copyOf(pathVariables), false));
    }

    private static RuleCompiler of(Kind kind) {
        return COMPILERS.computeIfAbsent(kind, RuleCompiler::new);
    }

    private RuleCompiler(Kind kind) {
        this.rules = kind.rules();
        this.path = RequestVariables.pathStruct(kind.pathVariables());
        var all = RequestVariables.structs(path);
        this.structs = all.stream().collect(Collectors.toMap(Struct::name, Function.identity()));
        var building = CelCompilerFactory.standardCelCompilerBuilder()
                .setOptions(OPTIONS)
                .setStandardMacros(
                        CelStandardMacro.HAS,
                        CelStandardMacro.ALL,
                        CelStandardMacro.EXISTS,
                        CelStandardMacro.EXISTS_ONE)
                .setTypeProvider(Types.of(all))
                .addVar(RequestVariables.NOW, SimpleType.TIMESTAMP)
                .setResultType(rules ? SimpleType.BOOL : SimpleType.DYN);
        all.forEach(struct -> building.addVar(struct.name(), struct.type()));
        this.compiler = building.build();
    }

    Struct path() {
        return path;
    }

    /** A map of the entries that were last asked for. */
    private static <K, V> Map<K, V> recent(int most) {
        return Collections.synchronizedMap(new LinkedHashMap<K, V>(2 * most, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > most;
            }
        });
    }

    /** Compiles one expression; null, with a finding for it, if it is wrong. */
    @Nullable
    Compiled compile(String expression, Findings.Place at) {
        var known = programs.get(expression);
        if (known != null) {
            return known;
        }
        var compiled = compileAnew(expression, at);
        if (compiled != null) {
            programs.put(expression, compiled);
        }
        return compiled;
    }

    private @Nullable Compiled compileAnew(String expression, Findings.Place at) {
        try {
            var compiled = compiler.compile(expression);
            if (compiled.hasError()) {
                at.reject(expression, expected() + RuleProblem.describe(expression, compiled.getErrors(), structs));
                return null;
            }
            CelAbstractSyntaxTree rule = compiled.getAst();
            var issues = check(rule);
            if (!issues.isEmpty()) {
                at.reject(expression, expected() + RuleProblem.describe(expression, issues, structs));
                return null;
            }
            return new Compiled(RUNTIME.createProgram(rule), Reads.of(rule));
        } catch (CelValidationException | CelEvaluationException e) {
            at.reject(expression, "a rule that can be compiled: " + e.getMessage());
            return null;
        }
    }

    private String expected() {
        return rules ? "a rule that answers true or false; " : "an expression; ";
    }

    private static List<CelIssue> check(CelAbstractSyntaxTree rule) {
        var ast = CelNavigableAst.fromAst(rule);
        var issues = new CelAstValidator.IssuesFactory(ast);
        for (var check : CHECKS) {
            check.validate(ast, LITERALS, issues);
        }
        return issues.getIssues();
    }

    /** The types of the variables, by name. */
    private record Types(ImmutableCollection<CelType> types) implements CelTypeProvider {
        static Types of(List<Struct> structs) {
            return new Types(structs.stream().<CelType>map(Struct::type).collect(ImmutableList.toImmutableList()));
        }

        @Override
        public Optional<CelType> findType(String name) {
            return types.stream().filter(type -> type.name().equals(name)).findFirst();
        }
    }
}
