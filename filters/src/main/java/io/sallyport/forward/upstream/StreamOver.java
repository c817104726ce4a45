// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import java.io.IOException;
import java.time.Duration;

/** The exchange lasted as long as it may; nobody's fault. No stack trace. */
public final class StreamOver extends IOException {
    private static final long serialVersionUID = 1L;

    /** After so long. */
    public StreamOver(Duration longest) {
        super("not over after " + longest);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
