// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.reactor.netty.NettyReactiveWebServerFactory;
import org.springframework.boot.web.server.Shutdown;
import org.springframework.boot.web.server.WebServer;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.http.HttpStatus;
import org.springframework.http.client.ReactorResourceFactory;
import org.springframework.http.server.reactive.HttpHandler;

/**
 * The server of {@code internal-listener}: it starts when the application's own server has, and lets its requests finish beside
 * that one's.
 */
final class InternalListener implements SmartLifecycle, DisposableBean {
    /** Behind the one route that takes everything: never reached. */
    private static final HttpHandler NOTHING = (_, response) -> {
        response.setStatusCode(HttpStatus.NOT_FOUND);
        return response.setComplete();
    };

    private final @Nullable IngressServer ingress;
    private final @Nullable WebServer server;
    private volatile boolean running;

    private InternalListener(@Nullable IngressServer ingress, @Nullable WebServer server) {
        this.ingress = ingress;
        this.server = server;
    }

    static InternalListener none() {
        return new InternalListener(null, null);
    }

    /** @param resources the event loops of the application's server, which are this one's too */
    static InternalListener of(IngressServer ingress, ReactorResourceFactory resources) {
        var factory = new NettyReactiveWebServerFactory();
        factory.setResourceFactory(resources);
        factory.setShutdown(Shutdown.GRACEFUL);
        ingress.customize(factory);
        return new InternalListener(ingress, factory.getWebServer(NOTHING));
    }

    @Override
    public void start() {
        if (server != null) {
            server.start();
            running = true;
        }
    }

    @Override
    public void stop(Runnable callback) {
        running = false;
        if (server == null) {
            callback.run();
        } else {
            server.shutDownGracefully(_ -> callback.run());
        }
    }

    @Override
    public void stop() {
        running = false;
        if (server != null) {
            server.stop();
        }
    }

    /** Ends what has not finished in time. */
    @Override
    public void destroy() {
        stop();
        if (ingress != null) {
            ingress.close();
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return WebServerApplicationContext.GRACEFUL_SHUTDOWN_PHASE;
    }
}
