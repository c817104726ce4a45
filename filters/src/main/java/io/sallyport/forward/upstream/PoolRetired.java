// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import java.io.IOException;

/** The gateway's identity has changed while a request waited for a connection: there is another pool by now. No stack trace. */
public final class PoolRetired extends IOException {
    private static final long serialVersionUID = 1L;

    PoolRetired() {
        super("the identity changed before there was a connection");
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
