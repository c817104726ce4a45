// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import dev.cel.common.values.NullValue;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.Program;
import io.sallyport.config.Findings;
import io.sallyport.pipeline.RequestContext;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An expression that says something of a request, in the language of rules and with what rules can name. Safe for use by every event
 * loop at once.
 */
public final class CelValue {
    private final Struct path;
    private final Program program;
    private final Reads reads;

    /** What an expression says of one request. */
    public sealed interface Result {
        /**
         * It says that.
         *
         * @param value a string, boolean or number, or a list or map of these
         */
        record Known(Object value) implements Result {}

        /** The request has not what the expression reads: a claim that the token does not have. */
        enum Missing implements Result {
            MISSING
        }

        /**
         * It cannot be evaluated.
         *
         * @param kind why, for the record
         */
        record Fault(String kind) implements Result {}
    }

    private CelValue(Struct path, Program program, Reads reads) {
        this.path = path;
        this.program = program;
        this.reads = reads;
    }

    /**
     * Compiles an expression.
     *
     * @param pathVariables the members that {@code path} has
     * @return null, with a finding, if it is wrong
     */
    public static @Nullable CelValue compile(String expression, Set<String> pathVariables, Findings.Place at) {
        var compiler = RuleCompiler.ofValues(pathVariables);
        var compiled = compiler.compile(expression, at);
        return compiled == null ? null : new CelValue(compiler.path(), compiled.program(), compiled.reads());
    }

    public Reads reads() {
        return reads;
    }

    public Result of(RequestContext context) {
        try {
            var value = program.eval(new RequestVariables(context, path));
            return value instanceof NullValue ? Result.Missing.MISSING : new Result.Known(value);
        } catch (CelEvaluationException e) {
            var kind = CelRules.kindOf(e);
            return kind.equals(UnreadableMember.MISSING) ? Result.Missing.MISSING : new Result.Fault(kind);
        }
    }
}
