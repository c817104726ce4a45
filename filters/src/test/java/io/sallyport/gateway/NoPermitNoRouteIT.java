// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.RawUpstream;
import io.sallyport.forward.UpstreamClient;
import io.sallyport.forward.upstream.UpstreamConnections;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.cloud.gateway.route.RouteLocator;
import org.springframework.cloud.gateway.route.builder.RouteLocatorBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

/**
 * A real application of Spring Cloud Gateway, with a route of its own that matches everything, and with this package's two beans
 * in place of the library's. Nothing stands in front of it that could mint a permit.
 */
class NoPermitNoRouteIT {
    private final RawUpstream upstream = RawUpstream.plaintext(RawUpstream.text("hello"));

    @AfterEach
    void stop() {
        upstream.close();
    }

    @Test
    void without_a_permit_there_is_no_route_and_the_upstream_sees_nothing() throws Exception {
        try (var application = start(WithPermits.class)) {
            assertThat(statusOf(application, "/")).isEqualTo(404);
            assertThat(statusOf(application, "/v1/orders")).isEqualTo(404);
        }
        assertThat(upstream.connections()).isZero();
    }

    /** The same application with the library's own beans: so it is this package that makes the difference. */
    @Test
    void with_the_librarys_own_lookup_the_same_request_goes_through() throws Exception {
        try (var application = start(WithoutPermits.class)) {
            assertThat(statusOf(application, "/v1/orders")).isEqualTo(200);
        }
        assertThat(upstream.connections()).isEqualTo(1);
    }

    private ConfigurableApplicationContext start(Class<?> source) {
        var application = new SpringApplication(source);
        // Ours among them reads the gateway's file, of which there is none.
        application.setInitializers(application.getInitializers().stream()
                .filter(initializer -> !initializer.getClass().getName().startsWith("io.sallyport."))
                .toList());
        application.setWebApplicationType(WebApplicationType.REACTIVE);
        application.setDefaultProperties(Map.of(
                "server.port", "0",
                "server.shutdown", "immediate",
                "server.address", "127.0.0.1",
                "test.upstream", upstream.uri(),
                "spring.cloud.gateway.server.webflux.filter.json-to-grpc.enabled", "false",
                "management.endpoints.access.default", "none"));
        return application.run();
    }

    private static int statusOf(ConfigurableApplicationContext application, String path) throws Exception {
        var port = application.getEnvironment().getRequiredProperty("local.server.port");
        try (var browser = HttpClient.newHttpClient()) {
            return browser.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        }
    }

    @EnableAutoConfiguration(
            excludeName = {
                "io.sallyport.boot.SallyportAutoConfiguration",
                "org.springframework.boot.security.autoconfigure.web.reactive.ReactiveWebSecurityAutoConfiguration",
                "org.springframework.boot.security.autoconfigure.actuate.web.reactive.ReactiveManagementWebSecurityAutoConfiguration"
            })
    static class WithoutPermits {
        @Bean
        RouteLocator everything(RouteLocatorBuilder routes, Environment environment) {
            return routes.routes()
                    .route(
                            "everything",
                            route -> route.path("/**").uri(environment.getRequiredProperty("test.upstream")))
                    .build();
        }
    }

    static class WithPermits extends WithoutPermits {
        @Bean
        UpstreamConnections upstreamConnections() {
            return new UpstreamConnections(
                    new FakeSvidSource(),
                    Duration.ZERO,
                    Duration.ZERO,
                    InstantSource.system(),
                    new SimpleMeterRegistry());
        }

        @Bean
        PinnedWebHandler filteringWebHandler(UpstreamConnections clients) {
            return new PinnedWebHandler(new PinnedRoutingFilter(new UpstreamClient(clients)));
        }

        @Bean
        PermitRouteMapping routePredicateHandlerMapping(PinnedWebHandler handler, Environment environment) {
            return new PermitRouteMapping(handler, environment);
        }
    }
}
