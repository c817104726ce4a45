// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The upstream sent what is no answer in the protocol that it is spoken to. A verdict, not a bug: no stack trace. */
public final class UpstreamProtocolError extends IOException {
    private static final long serialVersionUID = 1L;

    /** @param what is wrong with it, for the operator: a fixed text, for what an upstream sent stands in no record */
    public UpstreamProtocolError(String what) {
        super(what);
    }

    /** What a codec could not read; of its exception the class alone is told. */
    static UpstreamProtocolError of(@Nullable Throwable cause) {
        return new UpstreamProtocolError(unreadable(cause));
    }

    static String unreadable(@Nullable Throwable cause) {
        return cause == null ? "unreadable" : "unreadable: " + cause.getClass().getSimpleName();
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
