// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import java.time.Duration;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextType;
import org.springframework.boot.reactor.netty.NettyReactiveWebServerFactory;
import org.springframework.boot.web.server.Shutdown;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import reactor.netty.http.HttpProtocol;

/** Gives the management server the TLS of the ingress server: the same protocols and suites, another certificate if need be. */
@ManagementContextConfiguration(value = ManagementContextType.CHILD, proxyBeanMethods = false)
class ManagementServer {
    // Probes, a scraper or two and an operator; who holds connections open here must not starve the ingress port.
    private static final int MAX_CONNECTIONS = 100;
    private static final Duration IDLE = Duration.ofMinutes(1);
    private static final Duration REQUEST = Duration.ofSeconds(10);

    @Bean
    WebServerFactoryCustomizer<NettyReactiveWebServerFactory> managementServer(ManagementTls tls) {
        return factory -> {
            // The ingress server has waited by then, and a scraper is nobody to wait for.
            factory.setShutdown(Shutdown.IMMEDIATE);
            factory.addServerCustomizers(server -> {
                var bounded =
                        server.maxConnections(MAX_CONNECTIONS).idleTimeout(IDLE).requestTimeout(REQUEST);
                var context = tls.context();
                return context == null
                        ? bounded.protocol(HttpProtocol.HTTP11)
                        : bounded.protocol(HttpProtocol.H2, HttpProtocol.HTTP11)
                                .secure(spec -> spec.sslContext(context));
            });
        };
    }
}
