// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.Program;
import io.sallyport.authorize.pdp.Decision;
import io.sallyport.authorize.pdp.PolicyDecisionPoint;
import io.sallyport.config.Findings;
import io.sallyport.pipeline.Answer;
import io.sallyport.pipeline.RequestContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The rules of one route, compiled. Deny rules are asked first and all of them, so that a record names each; allow rules in
 * the order of the file until one matches. Safe for use by every event loop at once.
 */
public final class CelRules implements PolicyDecisionPoint {
    private static final String NOT_A_BOOLEAN = "not_a_boolean";

    private final Struct path;
    private final List<Rule> allow;
    private final List<Rule> deny;
    private final Answer<Decision> nothingAllowed;

    private CelRules(Struct path, List<Rule> allow, List<Rule> deny) {
        this.path = path;
        this.allow = List.copyOf(allow);
        this.deny = List.copyOf(deny);
        this.nothingAllowed = now(new Decision.NothingAllowed(namesOf(allow), List.of()));
    }

    private static Answer<Decision> now(Decision decision) {
        return new Answer.Now<>(decision);
    }

    private static List<String> namesOf(List<Rule> rules) {
        return rules.stream().map(Rule::name).toList();
    }

    /**
     * Compiles every rule, so that all that is wrong is found at once.
     *
     * @param pathVariables the members that {@code path} has
     * @param at where {@code allow} and {@code deny} stand in the file
     * @return null if any rule is wrong; each wrong rule has a finding then
     */
    public static @Nullable CelRules compile(
            Map<String, String> allow, Map<String, String> deny, Set<String> pathVariables, Findings.Place at) {
        var compiler = RuleCompiler.ofRules(pathVariables);
        var allowing = compile(allow, compiler, at.child("allow"));
        var denying = compile(deny, compiler, at.child("deny"));
        return allowing.size() == allow.size() && denying.size() == deny.size()
                ? new CelRules(compiler.path(), allowing, denying)
                : null;
    }

    /** What a rule reads of a request; nothing, if it is wrong. */
    public static Reads readsOf(String expression, Set<String> pathVariables) {
        var compiled = RuleCompiler.ofRules(pathVariables).compile(expression, new Findings().at(""));
        return compiled == null ? Reads.NOTHING : compiled.reads();
    }

    private static List<Rule> compile(Map<String, String> expressions, RuleCompiler compiler, Findings.Place at) {
        var rules = new ArrayList<Rule>();
        expressions.forEach((name, expression) -> {
            var compiled = compiler.compile(expression, at.child(name));
            if (compiled != null) {
                rules.add(new Rule(name, compiled.program()));
            }
        });
        return rules;
    }

    @Override
    public Answer<Decision> decide(RequestContext context) {
        var evaluation = new Evaluation(new RequestVariables(context, path));
        List<String> denying = null;
        for (int i = 0; i < deny.size(); i++) {
            var rule = deny.get(i);
            // Of a deny rule, no answer is a yes.
            if (evaluation.answer(rule) != Truth.NO) {
                denying = denying == null ? new ArrayList<>() : denying;
                denying.add(rule.name());
            }
        }
        if (denying != null) {
            return now(new Decision.Denied(denying, evaluation.faults()));
        }
        for (int i = 0; i < allow.size(); i++) {
            var rule = allow.get(i);
            if (evaluation.answer(rule) == Truth.YES) {
                return evaluation.faults().isEmpty()
                        ? rule.allowed()
                        : now(new Decision.Allowed(rule.name(), evaluation.faults()));
            }
        }
        return evaluation.faults().isEmpty()
                ? nothingAllowed
                : now(new Decision.NothingAllowed(namesOf(allow), evaluation.faults()));
    }

    /**
     * One compiled rule.
     *
     * @param allowed the answer when this rule allows and no other has failed: made once
     */
    private record Rule(String name, Program program, Answer<Decision> allowed) {
        private Rule(String name, Program program) {
            this(name, program, now(new Decision.Allowed(name, List.of())));
        }
    }

    private enum Truth {
        YES,
        NO,
        NONE
    }

    /** Asks rules about one request, and remembers which could not answer. */
    private static final class Evaluation {
        private final RequestVariables variables;
        private @Nullable List<Decision.Fault> faults;

        private Evaluation(RequestVariables variables) {
            this.variables = variables;
        }

        private Truth answer(Rule rule) {
            Object result;
            try {
                result = rule.program().eval(variables);
            } catch (CelEvaluationException e) {
                return noAnswer(rule, kindOf(e));
            }
            if (result instanceof Boolean yes) {
                return yes ? Truth.YES : Truth.NO;
            }
            // A claim's type is known only now: `token.claims.admin` compiles, whatever the claim holds.
            return noAnswer(rule, NOT_A_BOOLEAN);
        }

        private Truth noAnswer(Rule rule, String kind) {
            if (faults == null) {
                faults = new ArrayList<>(2);
            }
            faults.add(new Decision.Fault(rule.name(), kind));
            return Truth.NONE;
        }

        private List<Decision.Fault> faults() {
            return faults == null ? List.of() : faults;
        }
    }

    // The code and not the message: the message may quote a header or a claim.
    static String kindOf(CelEvaluationException failure) {
        return failure.getCause() instanceof UnreadableMember unreadable
                ? unreadable.kind()
                : failure.getErrorCode().name().toLowerCase(Locale.ROOT);
    }
}
