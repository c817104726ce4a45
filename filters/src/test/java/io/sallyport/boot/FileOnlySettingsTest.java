// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.compile.GatewayFile;
import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.SimpleCommandLinePropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

final class FileOnlySettingsTest {
    private final Findings findings = new Findings();

    @ParameterizedTest
    @CsvSource({
        "SALLYPORT_LISTENER_PORT, sallyport.listener",
        "SALLYPORT_ROUTES_PAYMENTS_AUTHORIZE, sallyport.routes",
        "SALLYPORT_DECISIONLOG_STDOUT, sallyport.decision-log",
        "SALLYPORT_DECISION_LOG_STDOUT, sallyport.decision-log",
        "sallyport_stages_risk_mode, sallyport.stages",
    })
    void an_environment_variable_that_would_set_something_is_refused(String name, String section) {
        check(Map.of(name, "secret"));

        assertThat(findings.all())
                .containsExactly(new Finding(
                        name, "set by systemEnvironment", "the key %s in the file alone".formatted(section)));
    }

    @ParameterizedTest
    @CsvSource({
        "sallyport.listener.port, sallyport.listener",
        "sallyport.issuers[corp].issuer, sallyport.issuers",
        "sallyport.decisionLog.stdout, sallyport.decision-log",
        "SALLYPORT.IDENTITY.workload-api, sallyport.identity",
    })
    void a_property_that_would_set_something_is_refused(String name, String section) {
        var environment = new StandardEnvironment();
        environment.getPropertySources().addFirst(new MapPropertySource("file", Map.of(name, "secret")));

        FileOnlySettings.check(environment, GatewayFile.SECTIONS, findings);

        assertThat(findings.all())
                .containsExactly(new Finding(name, "set by file", "the key %s in the file alone".formatted(section)));
    }

    @Test
    void an_argument_that_would_set_something_is_refused() {
        var environment = new StandardEnvironment();
        environment.getPropertySources().addFirst(new SimpleCommandLinePropertySource("--sallyport.management.port=1"));

        FileOnlySettings.check(environment, GatewayFile.SECTIONS, findings);

        assertThat(findings.all())
                .extracting(Finding::toString)
                .containsExactly("sallyport.management.port: set by commandLineArgs"
                        + " (expected: the key sallyport.management in the file alone)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"SALLYPORT_CONFIG", "SALLYPORT_SERVICE_HOST", "SALLYPORT_PORT", "SALLY_PORT_ROUTES", "ROUTES"})
    void what_sets_nothing_of_the_gateway_is_none_of_its_business(String name) {
        check(Map.of(name, "x"));

        assertThat(findings.all()).isEmpty();
    }

    @Test
    void what_kubernetes_tells_every_pod_about_a_service_is_not_taken_for_a_setting() {
        var link = Map.<String, Object>of(
                "SALLYPORT_MANAGEMENT_SERVICE_HOST", "10.0.0.1",
                "SALLYPORT_MANAGEMENT_SERVICE_PORT", "8444",
                "SALLYPORT_MANAGEMENT_SERVICE_PORT_HTTPS", "8444",
                "SALLYPORT_MANAGEMENT_PORT", "tcp://10.0.0.1:8444",
                "SALLYPORT_MANAGEMENT_PORT_8444_TCP", "tcp://10.0.0.1:8444",
                "SALLYPORT_MANAGEMENT_PORT_8444_TCP_ADDR", "10.0.0.1",
                "SALLYPORT_MANAGEMENT_PORT_8444_TCP_PORT", "8444",
                "SALLYPORT_MANAGEMENT_PORT_8444_TCP_PROTO", "tcp");
        check(link);
        assertThat(findings.all()).isEmpty();

        var withSetting = new HashMap<>(link);
        withSetting.put("SALLYPORT_MANAGEMENT_ADDRESS", "0.0.0.0");
        check(withSetting);
        assertThat(findings.all()).extracting(Finding::path).containsExactly("SALLYPORT_MANAGEMENT_ADDRESS");
    }

    @Test
    void a_port_variable_without_its_service_is_a_setting() {
        check(Map.of("SALLYPORT_MANAGEMENT_PORT", "1"));

        assertThat(findings.all()).extracting(Finding::path).containsExactly("SALLYPORT_MANAGEMENT_PORT");
    }

    private void check(Map<String, Object> variables) {
        var environment = new StandardEnvironment() {
            @Override
            protected void customizePropertySources(MutablePropertySources sources) {
                sources.addLast(
                        new SystemEnvironmentPropertySource(SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, variables));
            }
        };
        FileOnlySettings.check(environment, GatewayFile.SECTIONS, findings);
    }
}
