// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.compile.InvalidConfiguration;
import io.sallyport.compile.SnapshotSource;
import io.sallyport.gateway.PermitRouteMapping;
import io.sallyport.gateway.PinnedWebHandler;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.exchange.IngressHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.health.registry.HealthContributorRegistry;
import org.springframework.boot.reactor.netty.NettyReactiveWebServerFactory;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.cloud.gateway.actuate.AbstractGatewayControllerEndpoint;
import org.springframework.cloud.gateway.discovery.DiscoveryClientRouteDefinitionLocator;
import org.springframework.cloud.gateway.filter.GlobalFilter;
import org.springframework.cloud.gateway.filter.factory.JsonToGrpcGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.headers.ForwardedHeadersFilter;
import org.springframework.cloud.gateway.filter.headers.XForwardedHeadersFilter;
import org.springframework.cloud.gateway.handler.FilteringWebHandler;
import org.springframework.cloud.gateway.handler.RoutePredicateHandlerMapping;
import org.springframework.http.client.ReactorResourceFactory;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.test.util.ReflectionTestUtils;
import org.springframework.web.server.WebFilter;
import reactor.netty.http.HttpResources;

/** What Spring makes of the gateway: the beans of the ingress port, without servers. */
final class GatewayAutoConfigurationTest {
    private static final String GATEWAY = "spring.cloud.gateway.server.webflux.";
    private static final String FILE = """
            sallyport:
              listener: { address: 127.0.0.1, port: 0, insecure-plaintext: true, shutdown-grace: 0s }
              management: { port: 0, insecure-plaintext: true }
              routes:
                status:
                  match: { hosts: [api.example.org], path: /status, methods: [GET] }
                  authorize: public
                  upstream: { uri: "http://status:8080", insecure-plaintext: true }
            """;

    @SpringBootConfiguration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}

    @TempDir
    private Path folder;

    @SuppressWarnings("NullAway.Init") // before each test
    private ReactiveWebApplicationContextRunner application;

    @BeforeEach
    void configure() throws IOException {
        application = new ReactiveWebApplicationContextRunner()
                .withUserConfiguration(Application.class)
                .withInitializer(new SallyportInitializer())
                .withPropertyValues("sallyport.config=" + Files.writeString(folder.resolve("gateway.yaml"), FILE));
    }

    @Test
    void readiness_names_no_health_that_is_not_there_but_stages_without_one() {
        application.run(context -> {
            var health = context.getBean(HealthContributorRegistry.class);
            var readiness = context.getEnvironment()
                    .getRequiredProperty("management.endpoint.health.group.readiness.include")
                    .split(",", -1);
            var stages = Arrays.stream(StageName.values()).map(StageName::code).toList();

            assertThat(readiness).contains("revocation", "ratelimit");
            assertThat(health.getContributor("revocation")).isNotNull();
            assertThat(readiness)
                    .filteredOn(name -> !stages.contains(name))
                    .allSatisfy(name ->
                            assertThat(health.getContributor(name)).as(name).isNotNull());
        });
    }

    @Test
    void the_gateway_is_made_of_the_file() {
        application.run(context -> {
            assertThat(context).hasNotFailed().hasSingleBean(IngressHandler.class);
            assertThat(context.getBean(SnapshotSource.class).get().routes())
                    .extracting(Object::toString)
                    .containsExactly("status@api.example.org", "sallyport:unmatched@api.example.org");
        });
    }

    @Test
    void the_ports_are_those_of_the_file_whatever_properties_say() {
        application
                .withPropertyValues("server.port=1", "server.address=0.0.0.0", "management.server.port=2")
                .run(context -> assertThat(context.getEnvironment())
                        .extracting(
                                environment -> environment.getProperty("server.port"),
                                environment -> environment.getProperty("server.address"),
                                environment -> environment.getProperty("management.server.port"),
                                environment -> environment.getProperty("management.server.address"))
                        .containsExactly("0", "127.0.0.1", "0", "127.0.0.1"));
    }

    @Test
    void a_gateway_that_stops_takes_no_event_loops_from_another() {
        application.run(context -> {
            var loops = context.getBean(ReactorResourceFactory.class).getLoopResources();

            application.run(_ -> {});

            assertThat(loops.isDisposed()).isFalse();
            assertThat(loops).isNotSameAs(HttpResources.get());
        });
    }

    @Test
    void nothing_of_spring_routes_but_what_a_permit_names() {
        application.run(context -> {
            assertThat(context).getBean(RoutePredicateHandlerMapping.class).isInstanceOf(PermitRouteMapping.class);
            assertThat(context).getBean(FilteringWebHandler.class).isInstanceOf(PinnedWebHandler.class);
        });
    }

    @Test
    void no_web_filter_stands_in_the_way_of_a_permitted_request_not_even_security() {
        application.run(context -> assertThat(context)
                .doesNotHaveBean(WebFilter.class)
                .doesNotHaveBean(SecurityWebFilterChain.class)
                .doesNotHaveBean(ServerHttpSecurity.class));
    }

    /** Traps T12 and T13: the library's own client trusts too much and hides its failures. It is not there to be used. */
    @Test
    void the_librarys_own_way_to_an_upstream_is_not_there() {
        application
                .withPropertyValues(GATEWAY + "httpclient.ssl.use-insecure-trust-manager=true")
                .run(context -> {
                    assertThat(context).hasNotFailed().doesNotHaveBean(GlobalFilter.class);
                    assertThat(context.getEnvironment()
                                    .getProperty(GATEWAY + "httpclient.ssl.use-insecure-trust-manager"))
                            .isEqualTo("false");
                });
    }

    /** Trap T14: on Kubernetes, Spring Boot would believe a client's forwarded headers. */
    @Test
    void forwarded_headers_are_believed_on_no_platform() {
        application
                .withPropertyValues("spring.main.cloud-platform=kubernetes", "server.forward-headers-strategy=native")
                .run(context -> {
                    assertThat(context.getEnvironment().getProperty("server.forward-headers-strategy"))
                            .isEqualTo("none");
                    var factory = context.getBean(NettyReactiveWebServerFactory.class);
                    assertThat(ReflectionTestUtils.getField(factory, "useForwardHeaders"))
                            .isEqualTo(false);
                });
    }

    /** Traps T15 and T16: proxies trusted by a regular expression, or all of them. */
    @Test
    void the_library_trusts_no_proxy_whatever_properties_say() {
        application
                .withPropertyValues(GATEWAY + "trusted-proxies=.*", GATEWAY + "httpserver.customizer-enabled=true")
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .doesNotHaveBean(XForwardedHeadersFilter.class)
                        .doesNotHaveBean(ForwardedHeadersFilter.class)
                        .doesNotHaveBean("gatewayNettyServerCustomizer"));
    }

    /** Trap T18: the gateway endpoint can create routes. */
    @Test
    void the_endpoint_that_makes_routes_is_not_there_whatever_properties_say() {
        application
                .withPropertyValues(
                        "management.endpoint.gateway.access=unrestricted",
                        "management.endpoints.access.default=unrestricted",
                        "management.endpoints.web.exposure.include=*",
                        GATEWAY + "actuator.verbose.enabled=true")
                .run(context -> assertThat(context).doesNotHaveBean(AbstractGatewayControllerEndpoint.class));
    }

    @Test
    void routes_come_from_no_registry() {
        application
                .withPropertyValues(GATEWAY + "discovery.locator.enabled=true")
                .run(context -> assertThat(context).doesNotHaveBean(DiscoveryClientRouteDefinitionLocator.class));
    }

    @Test
    void the_grpc_filter_that_stops_the_start_is_off() {
        application
                .withPropertyValues(GATEWAY + "filter.json-to-grpc.enabled=true")
                .run(context ->
                        assertThat(context).hasNotFailed().doesNotHaveBean(JsonToGrpcGatewayFilterFactory.class));
    }

    @Test
    void an_application_may_leave_out_more_but_not_less() {
        application
                .withPropertyValues("spring.autoconfigure.exclude=com.example.Something")
                .run(context -> assertThat(context.getEnvironment().getProperty("spring.autoconfigure.exclude"))
                        .startsWith("org.springframework.boot.security.")
                        .endsWith(",com.example.Something"));
    }

    @Test
    void a_setting_outside_of_the_file_stops_the_start() {
        application
                .withPropertyValues("sallyport.listener.port=1")
                .run(context -> assertThat(context)
                        .hasFailed()
                        .getFailure()
                        .isInstanceOf(InvalidConfiguration.class)
                        .hasMessageContaining("sallyport.listener.port: set by ")
                        .hasMessageContaining("(expected: the key sallyport.listener in the file alone)"));
    }

    @Test
    void a_start_without_a_file_says_how_one_is_named() {
        application
                .withPropertyValues("sallyport.config=")
                .run(context -> assertThat(context)
                        .hasFailed()
                        .getFailure()
                        .hasMessage("sallyport.config: (absent)"
                                + " (expected: the path of the gateway's configuration file)"));
    }

    @Test
    void a_wrong_file_stops_the_start_with_each_finding_on_a_line_and_exit_code_2() throws IOException {
        var file = Files.writeString(
                folder.resolve("gateway.yaml"),
                FILE.replace("port: 0", "prot: 0").replace("path: ", "pathh: "));

        application.run(context -> {
            var failure = (RefusedStart) Objects.requireNonNull(context.getStartupFailure());
            assertThat(failure.getExitCode()).isEqualTo(2);
            assertThat(failure.lines())
                    .containsExactly(
                            file + ":2: sallyport.listener.prot: unknown key (expected: port)",
                            file + ":3: sallyport.management.prot: unknown key (expected: port)",
                            file + ":6: sallyport.routes.status.match.pathh: unknown key (expected: path)",
                            file + ":6: sallyport.routes.status.match.path: (absent) (expected: The path, compared by"
                                    + " segments: literal, {name} or * for one segment, ** at the end for any rest. What"
                                    + " {name} matched is path.name in rules.)");
            assertThat(analysis(failure).getDescription())
                    .isEqualTo(String.join(System.lineSeparator(), failure.lines()));
        });
    }

    @Test
    void a_file_that_names_what_is_not_there_stops_the_start_in_the_same_way() throws IOException {
        Files.writeString(
                folder.resolve("gateway.yaml"),
                FILE.replace(
                        "port: 0, insecure-plaintext: true, shutdown",
                        "port: 0, tls: { certificate: none.pem, key: none.pem }, shutdown"));

        application.run(context -> {
            var analysis = analysis(Objects.requireNonNull(context.getStartupFailure()));
            assertThat(analysis.getDescription())
                    .contains("gateway.yaml:2: sallyport.listener.tls.certificate: ", "none.pem: there is no such file")
                    .contains("gateway.yaml:2: sallyport.listener.tls.key: ");
        });
    }

    @Test
    void a_certificate_of_the_management_port_that_cannot_be_read_stops_the_start_before_a_port_is_open()
            throws IOException {
        Files.writeString(
                folder.resolve("gateway.yaml"),
                FILE.replace(
                        "management: { port: 0, insecure-plaintext: true }",
                        "management: { port: 0, tls: { certificate: none.pem, key: gateway.yaml } }"));

        application.run(context -> assertThat(analysis(Objects.requireNonNull(context.getStartupFailure()))
                        .getDescription())
                .contains("gateway.yaml:3: sallyport.management.tls.certificate: ")
                .endsWith("none.pem: there is no such file (expected: a PEM file that this process may read)"));
    }

    @Test
    void a_place_for_key_sets_that_cannot_be_one_stops_the_start() throws IOException {
        Files.writeString(
                folder.resolve("gateway.yaml"),
                FILE.replace("  routes:", "  stages: { authenticate: { key-sets: no/such } }\n  routes:"));

        application.run(context -> assertThat(analysis(Objects.requireNonNull(context.getStartupFailure()))
                        .getDescription())
                .contains("gateway.yaml:4: sallyport.stages.authenticate.key-sets: ")
                .endsWith("no/such (expected: a directory of the gateway's own, writable, in one that exists)"));
    }

    private static FailureAnalysis analysis(Throwable failure) {
        return Objects.requireNonNull(new InvalidConfigurationAnalyzer().analyze(failure));
    }
}
