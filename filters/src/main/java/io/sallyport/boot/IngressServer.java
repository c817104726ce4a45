// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import io.sallyport.wire.listener.IngressServerCustomizer;
import org.springframework.boot.reactor.netty.NettyReactiveWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;

/**
 * Makes a server a listener, and puts the ingress handler in front of everything on it. As a bean it is the application's own server
 * of which it makes one.
 */
record IngressServer(IngressServerCustomizer customizer)
        implements WebServerFactoryCustomizer<NettyReactiveWebServerFactory>, AutoCloseable {
    @Override
    public void customize(NettyReactiveWebServerFactory factory) {
        factory.addServerCustomizers(customizer);
    }

    @Override
    public void close() {
        customizer.close();
    }
}
