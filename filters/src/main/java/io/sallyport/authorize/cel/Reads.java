// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import dev.cel.common.CelAbstractSyntaxTree;
import dev.cel.common.ast.CelConstant;
import dev.cel.common.ast.CelExpr;
import dev.cel.common.navigation.CelNavigableAst;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * What an expression reads of a request, as far as it says so by name.
 *
 * @param variables {@code token}, {@code request} and so on
 * @param headers the literal names under {@code request.headers}
 */
public record Reads(Set<String> variables, Set<String> headers) {
    /** Of an expression that is wrong. */
    static final Reads NOTHING = new Reads(Set.of(), Set.of());

    private static final Set<String> IN = Set.of("@in", "_in_");

    public Reads {
        variables = Set.copyOf(variables);
        headers = Set.copyOf(headers);
    }

    static Reads of(CelAbstractSyntaxTree expression) {
        var variables = new LinkedHashSet<String>();
        var headers = new LinkedHashSet<String>();
        CelNavigableAst.fromAst(expression)
                .getRoot()
                .allNodes()
                .map(node -> node.expr())
                .forEach(part -> {
                    switch (part.getKind()) {
                        case IDENT -> variables.add(part.ident().name());
                        case SELECT -> {
                            if (isHeaders(part.select().operand())) {
                                headers.add(part.select().field());
                            }
                        }
                        case CALL -> addHeader(part.call(), headers);
                        default -> {}
                    }
                });
        return new Reads(variables, headers);
    }

    private static void addHeader(CelExpr.CelCall call, Set<String> headers) {
        if (call.args().size() != 2) {
            return;
        }
        var first = call.args().get(0);
        var second = call.args().get(1);
        if (call.function().equals("_[_]") && isHeaders(first)) {
            addLiteral(second, headers);
        } else if (IN.contains(call.function()) && isHeaders(second)) {
            addLiteral(first, headers);
        }
    }

    private static void addLiteral(CelExpr name, Set<String> headers) {
        if (name.getKind() == CelExpr.ExprKind.Kind.CONSTANT
                && name.constant().getKind() == CelConstant.Kind.STRING_VALUE) {
            headers.add(name.constant().stringValue());
        }
    }

    private static boolean isHeaders(CelExpr expression) {
        return expression.getKind() == CelExpr.ExprKind.Kind.SELECT
                && expression.select().field().equals("headers")
                && expression.select().operand().getKind() == CelExpr.ExprKind.Kind.IDENT
                && expression.select().operand().ident().name().equals("request");
    }
}
