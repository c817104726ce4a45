// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import java.io.IOException;
import java.time.Duration;

/** The upstream neither answered nor took what it was sent for the time that the route grants. No stack trace. */
public final class UpstreamSilent extends IOException {
    private static final long serialVersionUID = 1L;

    UpstreamSilent(Duration timeout) {
        super("nothing for " + timeout);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
