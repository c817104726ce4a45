// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

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

    /** The same in Netty's words. */
    public ClientAuth netty() {
        return netty;
    }
}
