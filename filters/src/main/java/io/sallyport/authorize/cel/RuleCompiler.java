// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import com.google.common.collect.ImmutableCollection;
import com.google.common.collect.ImmutableList;
import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
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
import dev.cel.validator.CelValidator;
import dev.cel.validator.CelValidatorFactory;
import dev.cel.validator.validators.DurationLiteralValidator;
import dev.cel.validator.validators.TimestampLiteralValidator;
import io.sallyport.config.Findings;
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

    /** In rounds of all loops of a rule together; a token of 8 KiB cannot hold a list of more elements than this by much. */
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

    private final Struct path;
    private final Map<String, Struct> structs;
    private final CelCompiler compiler;
    private final CelRuntime runtime;
    private final CelValidator validator;

    /** @param pathVariables the members that {@code path} has */
    RuleCompiler(Set<String> pathVariables) {
        this.path = RequestVariables.pathStruct(pathVariables);
        var structs = RequestVariables.structs(path);
        this.structs = structs.stream().collect(Collectors.toMap(Struct::name, Function.identity()));
        var types = new Types(structs.stream().<CelType>map(Struct::type).collect(ImmutableList.toImmutableList()));
        var building = CelCompilerFactory.standardCelCompilerBuilder()
                .setOptions(OPTIONS)
                .setStandardMacros(
                        CelStandardMacro.HAS,
                        CelStandardMacro.ALL,
                        CelStandardMacro.EXISTS,
                        CelStandardMacro.EXISTS_ONE)
                .setTypeProvider(types)
                .addVar(RequestVariables.NOW, SimpleType.TIMESTAMP)
                .setResultType(SimpleType.BOOL);
        structs.forEach(struct -> building.addVar(struct.name(), struct.type()));
        this.compiler = building.build();
        this.runtime = CelRuntimeFactory.plannerRuntimeBuilder()
                .setOptions(OPTIONS)
                .setTypeProvider(types)
                .build();
        this.validator = CelValidatorFactory.standardCelValidatorBuilder(compiler, runtime)
                .addAstValidators(
                        new LiteralPatterns(), TimestampLiteralValidator.INSTANCE, DurationLiteralValidator.INSTANCE)
                .build();
    }

    Struct path() {
        return path;
    }

    /** Compiles one rule; null, with a finding for it, if it is wrong. */
    @Nullable
    Program compile(String expression, Findings.Place at) {
        try {
            var compiled = compiler.compile(expression);
            if (compiled.hasError()) {
                at.reject(expression, RuleProblem.describe(expression, compiled.getErrors(), structs));
                return null;
            }
            CelAbstractSyntaxTree rule = compiled.getAst();
            var validated = validator.validate(rule);
            if (validated.hasError()) {
                at.reject(expression, RuleProblem.describe(expression, validated.getErrors(), structs));
                return null;
            }
            return runtime.createProgram(rule);
        } catch (CelValidationException | CelEvaluationException e) {
            at.reject(expression, "a rule that can be compiled: " + e.getMessage());
            return null;
        }
    }

    /** The types of the variables, by name. */
    private record Types(ImmutableCollection<CelType> types) implements CelTypeProvider {
        @Override
        public Optional<CelType> findType(String name) {
            return types.stream().filter(type -> type.name().equals(name)).findFirst();
        }
    }
}
