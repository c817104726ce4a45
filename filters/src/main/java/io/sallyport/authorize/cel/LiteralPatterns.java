// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.cel.bundle.Cel;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.navigation.CelNavigableAst;
import dev.cel.validator.CelAstValidator;

/**
 * A pattern that {@code matches} is given has to stand in the rule, be a pattern, and be small: then its cost is known when the
 * rule is loaded, and no request and no issuer can bring a costlier one.
 */
final class LiteralPatterns implements CelAstValidator {
    /** In instructions of the compiled pattern. */
    static final int LARGEST_PROGRAM = 500;

    @Override
    public void validate(CelNavigableAst ast, Cel cel, IssuesFactory issues) {
        ast.getRoot()
                .allNodes()
                .map(node -> node.expr())
                .filter(expression -> expression.getKind() == CelExpr.ExprKind.Kind.CALL)
                .filter(expression -> expression.call().function().equals("matches"))
                .forEach(expression -> check(expression, issues));
    }

    private static void check(CelExpr matches, IssuesFactory issues) {
        var pattern = matches.call().args().getLast();
        if (pattern.getKind() != CelExpr.ExprKind.Kind.CONSTANT) {
            issues.addError(pattern.id(), "the pattern of matches has to be a literal");
            return;
        }
        try {
            int size = Pattern.compile(pattern.constant().stringValue()).programSize();
            if (size > LARGEST_PROGRAM) {
                issues.addError(
                        pattern.id(),
                        "the pattern compiles to %d instructions, more than the %d that a rule may use"
                                .formatted(size, LARGEST_PROGRAM));
            }
        } catch (PatternSyntaxException e) {
            issues.addError(pattern.id(), "no valid RE2 pattern: " + e.getDescription());
        }
    }
}
