// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.decision.Denial;
import org.jspecify.annotations.Nullable;

/**
 * Carries a denial through a reactive chain that can only fail with an exception. Has no stack trace: it is a value on its
 * way out, not a bug.
 */
public final class ForwardFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Denial denial;

    public ForwardFailure(Denial denial, @Nullable Throwable cause) {
        super(denial.reason().code(), cause, false, false);
        this.denial = denial;
    }

    public Denial denial() {
        return denial;
    }
}
