// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.handler.ssl.ClientAuth;

/** Whether the listener asks its clients for an X509-SVID. */
public enum ClientCertificates {
    NONE(ClientAuth.NONE),
    /** Who shows none is let in, and is then whoever its token says. */
    OPTIONAL(ClientAuth.OPTIONAL),
    REQUIRED(ClientAuth.REQUIRE);

    private final ClientAuth netty;

    ClientCertificates(ClientAuth netty) {
        this.netty = netty;
    }

    ClientAuth netty() {
        return netty;
    }
}
