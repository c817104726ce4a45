// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import java.io.IOException;

/** The upstream sent what is no answer in the protocol that it is spoken to. A verdict, not a bug: no stack trace. */
public final class UpstreamProtocolError extends IOException {
    private static final long serialVersionUID = 1L;

    /** What is wrong with it, for the operator. */
    public UpstreamProtocolError(String message) {
        super(message);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
