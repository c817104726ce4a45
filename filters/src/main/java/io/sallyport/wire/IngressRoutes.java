// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import org.springframework.boot.reactor.netty.NettyRouteProvider;
import reactor.netty.http.server.HttpServerRoutes;

/**
 * Puts the ingress handler in front of everything else on the ingress port: whatever Spring has registered there is reached
 * through a permit or not at all. For the application's own server; a management server in a child context does not inherit it.
 */
public final class IngressRoutes implements NettyRouteProvider {
    private final IngressHandler handler;

    public IngressRoutes(IngressHandler handler) {
        this.handler = handler;
    }

    @Override
    public HttpServerRoutes apply(HttpServerRoutes routes) {
        return routes.route(_ -> true, handler);
    }
}
