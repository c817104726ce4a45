// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.springframework.boot.context.event.ApplicationPreparedEvent;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.event.ContextClosedEvent;

/** The gateway in this process: {@code run}, {@code demo} and the end-to-end tests start it here and nowhere else. */
public final class Gateway implements AutoCloseable {
    static final String OWN_LOG_LEVEL = "log.level.own";
    static final String OTHERS_LOG_LEVEL = "log.level.others";

    private final ConfigurableApplicationContext context;
    private final CountDownLatch stopped = new CountDownLatch(1);

    private Gateway(ConfigurableApplicationContext context) {
        this.context = context;
    }

    /**
     * Starts the gateway and returns when it listens. It may not be ready then: its identity and the keys of its issuers may
     * still be under way.
     *
     * @throws io.sallyport.compile.InvalidConfiguration if the file is wrong
     */
    public static Gateway start(Path configuration) {
        var headStart = HeadStart.begin();
        var application = GatewayApplication.prepared();
        // The last moment before the first bean is made, which may be one that needs what has been begun.
        application.addListeners((ApplicationPreparedEvent _) -> headStart.await());
        // Who started it stops it, and what is around it, in an order of its own.
        application.setRegisterShutdownHook(false);
        var gateway = new Gateway[1];
        application.addListeners((ContextClosedEvent event) -> {
            var started = gateway[0];
            // The management port has a context of its own, which is closed first.
            if (started != null && event.getApplicationContext().equals(started.context)) {
                started.stopped.countDown();
            }
        });
        gateway[0] = new Gateway(application.run("--sallyport.config=" + configuration.toAbsolutePath()));
        return gateway[0];
    }

    /** The port that clients connect to. */
    public int port() {
        return port("local.server.port");
    }

    /** The port of probes, metrics and the deny-list. */
    public int managementPort() {
        return port("local.management.port");
    }

    private int port(String property) {
        return context.getEnvironment().getRequiredProperty(property, Integer.class);
    }

    /** Returns when the gateway has been closed. */
    void awaitStop() throws InterruptedException {
        stopped.await();
    }

    /** Lets requests under way finish, and stops. */
    @Override
    public void close() {
        context.close();
    }
}
