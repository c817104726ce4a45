// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import io.sallyport.config.Findings;
import io.sallyport.pipeline.RequestContext;
import org.jspecify.annotations.Nullable;

/** Says something of a request. A port: whoever compiles the configuration brings the language. */
@FunctionalInterface
public interface Expression {
    /**
     * Its value for one request.
     *
     * @return a string, boolean or number, or a list of these; null if the request has not what it reads
     * @throws Undetermined if it cannot be evaluated
     */
    @Nullable
    Object of(RequestContext context) throws Undetermined;

    /** Compiles expressions. */
    @FunctionalInterface
    interface Compiler {
        /** Returns null, with a finding, if the text is wrong. */
        @Nullable
        Expression compile(String text, Findings.Place at);
    }

    /** An expression that cannot be evaluated. Has no stack trace: it is a verdict, not a bug. */
    final class Undetermined extends Exception {
        private static final long serialVersionUID = 1L;

        /** @param kind for the record; quotes nothing of the request */
        public Undetermined(String kind) {
            super(kind, null, false, false);
        }
    }
}
