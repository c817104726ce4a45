// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.app.demo.FreePort;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.aot.AotDetector;
import org.springframework.boot.SpringApplication;
import org.springframework.cloud.gateway.filter.factory.GatewayFilterFactory;
import org.springframework.cloud.gateway.route.RouteLocator;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.SpringProperties;
import org.springframework.web.client.RestClient;
import tools.jackson.databind.json.JsonMapper;

/** What the build has prepared is what the auto-configuration would make of the gateway at its start (ADR 0025). */
class GatewayApplicationIT {
    /** What reads configuration classes, and so has nothing to do for a prepared gateway. */
    private static final String READER =
            "org.springframework.context.annotation.internalConfigurationAnnotationProcessor";

    @TempDir
    private Path directory;

    @AfterEach
    void as_gateways_start_elsewhere() {
        GatewayApplication.prepared();
    }

    @Test
    void a_gateway_starts_from_prepared_beans_and_they_are_those_that_the_auto_configuration_makes()
            throws IOException {
        Set<String> prepared;
        try (var gateway = start(GatewayApplication.prepared())) {
            assertThat(gateway.containsBean(READER)).isFalse();
            prepared = names(gateway);
        }

        var discovering = GatewayApplication.prepared();
        SpringProperties.setProperty(AotDetector.AOT_ENABLED, "false");
        try (var gateway = start(discovering)) {
            assertThat(gateway.containsBean(READER)).isTrue();
            assertThat(prepared).containsExactlyInAnyOrderElementsOf(names(gateway));
        }
    }

    @Test
    void nothing_is_made_of_the_libraries_that_the_gateway_does_not_ask_for() throws IOException {
        try (var gateway = start(GatewayApplication.prepared())) {
            assertThat(gateway.getBeanNamesForType(Executor.class)).isEmpty();
            assertThat(gateway.getBeanNamesForType(RestClient.Builder.class)).isEmpty();
            assertThat(gateway.getBeanNamesForType(JsonMapper.Builder.class)).isEmpty();
            assertThat(gateway.getBeanNamesForType(GatewayFilterFactory.class)).isEmpty();
            assertThat(gateway.getBeanNamesForType(RouteLocator.class)).isEmpty();
            assertThat(Arrays.stream(gateway.getBeanDefinitionNames())
                            .filter(name -> name.startsWith("org.springframework.cloud.")))
                    .isEmpty();
        }
    }

    @Test
    void a_management_port_that_is_taken_ends_the_process_and_is_named() throws IOException {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var file = configuration(taken.getLocalPort());
            var err = new StringWriter();

            var code = SallyportMain.commandLine(new PrintWriter(new StringWriter(), true), new PrintWriter(err, true))
                    .execute("run", "--config", file.toString());

            assertThat(code).isEqualTo(1);
            assertThat(err.toString())
                    .contains("cannot listen on port %d: something else does already".formatted(taken.getLocalPort()));
        }
    }

    private ConfigurableApplicationContext start(SpringApplication application) throws IOException {
        application.setRegisterShutdownHook(false);
        return application.run("--sallyport.config=" + configuration(0));
    }

    private Path configuration(int managementPort) throws IOException {
        return Files.writeString(directory.resolve("gateway.yaml"), """
                sallyport:
                  listener: { address: 127.0.0.1, port: %d, insecure-plaintext: true }
                  management: { address: 127.0.0.1, port: %d, insecure-plaintext: true }
                  routes:
                    status:
                      match: { hosts: [localhost], path: /status, methods: [GET] }
                      authorize: public
                      upstream: { uri: "http://127.0.0.1:9", insecure-plaintext: true }
                """.formatted(FreePort.find(), managementPort));
    }

    /** Without those that only read configuration classes, or prepare beans. */
    private static Set<String> names(ConfigurableApplicationContext gateway) {
        return Arrays.stream(gateway.getBeanDefinitionNames())
                .filter(name -> !name.startsWith("org.springframework.context.annotation.internal"))
                .filter(name ->
                        !name.equals("org.springframework.boot.autoconfigure.internalCachingMetadataReaderFactory"))
                .filter(name -> !name.equals("configurableHintsRegistrationProcessor"))
                .collect(Collectors.toSet());
    }
}
