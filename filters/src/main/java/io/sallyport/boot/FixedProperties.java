// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import io.sallyport.compile.GatewaySettings;
import io.sallyport.pipeline.StageName;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The properties of Spring Boot and Spring Cloud Gateway that the gateway's safety hangs on, and those that follow from the
 * file. They win over every other source: a property that somebody sets elsewhere cannot open what is closed here.
 */
final class FixedProperties {
    static final String EXCLUDE = "spring.autoconfigure.exclude";

    private static final String GATEWAY = "spring.cloud.gateway.server.webflux.";

    private static final Map<String, Object> SAFE = Map.ofEntries(
            // Trap T14: on Kubernetes the default believes a client's X-Forwarded-Host and -Prefix.
            Map.entry("server.forward-headers-strategy", "none"),
            // Traps T15 and T16: edge reads forwarded headers, by address blocks. An empty value counts as unset.
            Map.entry(GATEWAY + "trusted-proxies", ""),
            Map.entry(GATEWAY + "httpserver.customizer-enabled", "false"),
            // Traps T12 and T13: no upstream is reached through the library's own client;
            // it must not look as if it could.
            Map.entry(GATEWAY + "httpclient.ssl.use-insecure-trust-manager", "false"),
            Map.entry(GATEWAY + "discovery.locator.enabled", "false"),
            Map.entry(GATEWAY + "route-refresh-listener.enabled", "false"),
            // Its bean needs a gRPC transport that is not on the class path, and stops the application.
            Map.entry(GATEWAY + "filter.json-to-grpc.enabled", "false"),
            // Global filters do not run; those that come with a client, a scheduler or a socket are not even made.
            Map.entry(GATEWAY + "global-filter.adapt-cached-body.enabled", "false"),
            Map.entry(GATEWAY + "global-filter.forward-path.enabled", "false"),
            Map.entry(GATEWAY + "global-filter.forward-routing.enabled", "false"),
            Map.entry(GATEWAY + "global-filter.netty-routing.enabled", "false"),
            Map.entry(GATEWAY + "global-filter.remove-cached-body.enabled", "false"),
            Map.entry(GATEWAY + "global-filter.route-to-request-url.enabled", "false"),
            Map.entry(GATEWAY + "global-filter.websocket-routing.enabled", "false"),
            // The one predicate that brings a web filter along. No predicate is ever asked.
            Map.entry(GATEWAY + "predicate.weight.enabled", "false"),
            // What is measured of a request is measured by the pipeline, once.
            Map.entry(GATEWAY + "metrics.enabled", "false"),
            Map.entry(GATEWAY + "observability.enabled", "false"),
            Map.entry("spring.cloud.discovery.enabled", "false"),
            Map.entry("spring.cloud.refresh.enabled", "false"),
            // Trap T18: that endpoint makes routes.
            Map.entry("management.endpoint.gateway.access", "NONE"),
            Map.entry("management.endpoints.access.default", "NONE"),
            Map.entry("management.endpoint.health.access", "READ_ONLY"),
            Map.entry("management.endpoint.prometheus.access", "READ_ONLY"),
            Map.entry("management.endpoints.web.exposure.include", "health,prometheus"),
            Map.entry("management.endpoints.web.exposure.exclude", ""),
            Map.entry("management.endpoints.web.base-path", "/actuator"),
            Map.entry("management.endpoints.web.discovery.enabled", "false"),
            Map.entry("management.endpoints.jmx.exposure.exclude", "*"),
            Map.entry("management.server.base-path", ""),
            // ManagementServer has the certificate of the file.
            Map.entry("management.server.ssl.enabled", "false"),
            Map.entry("management.health.defaults.enabled", "false"),
            Map.entry("management.endpoint.health.show-components", "when-authorized"),
            Map.entry("management.endpoint.health.show-details", "when-authorized"),
            Map.entry("management.endpoint.health.probes.enabled", "true"),
            Map.entry("management.endpoint.health.group.liveness.include", "livenessState"),
            Map.entry("management.endpoint.health.group.liveness.additional-path", "management:/livez"),
            Map.entry(
                    "management.endpoint.health.group.readiness.include",
                    "readinessState,configuration,jwks,svid," + stages()),
            // Not every stage has a health; StagesHealth knows those that do.
            Map.entry("management.endpoint.health.validate-group-membership", "false"),
            Map.entry("management.endpoint.health.group.readiness.additional-path", "management:/readyz"));

    /** Makes of Spring Boot what the ingress port must not have, or what {@code management.ManagementSecurity} does instead. */
    private static final List<String> NOT_CONFIGURED = List.of(
            "org.springframework.boot.security.autoconfigure.ReactiveUserDetailsServiceAutoConfiguration",
            "org.springframework.boot.security.autoconfigure.web.reactive.ReactiveWebSecurityAutoConfiguration",
            "org.springframework.boot.security.autoconfigure.actuate.web.reactive.ReactiveManagementWebSecurityAutoConfiguration",
            "org.springframework.boot.security.oauth2.server.resource.autoconfigure.reactive.ReactiveOAuth2ResourceServerAutoConfiguration",
            "org.springframework.boot.webflux.autoconfigure.WebFluxObservationAutoConfiguration",
            "org.springframework.cloud.gateway.config.GatewayNoLoadBalancerClientAutoConfiguration",
            "org.springframework.cloud.gateway.config.GatewayReactiveLoadBalancerClientAutoConfiguration");

    private FixedProperties() {}

    private static String stages() {
        return Arrays.stream(StageName.values()).map(StageName::code).collect(Collectors.joining(","));
    }

    /** @param excluded the auto-configurations that the application leaves out already, separated by comma */
    static Map<String, Object> of(GatewaySettings settings, @Nullable String excluded) {
        var properties = new HashMap<>(SAFE);
        properties.put(EXCLUDE, exclude(excluded));
        properties.put("server.address", settings.requireListener().address());
        properties.put("server.port", settings.requireListener().port());
        properties.put("server.shutdown", "graceful");
        properties.put(
                "spring.lifecycle.timeout-per-shutdown-phase",
                settings.requireListener().shutdownGrace().toMillis() + "ms");
        var management = settings.management();
        properties.put("management.server.address", management.address());
        properties.put("management.server.port", management.port());
        properties.put("management.endpoint.health.roles", "SCOPE_" + management.readScope());
        return Map.copyOf(properties);
    }

    private static String exclude(@Nullable String excluded) {
        Set<String> names = new LinkedHashSet<>(NOT_CONFIGURED);
        if (excluded != null && !excluded.isBlank()) {
            for (var name : excluded.split(",", -1)) {
                names.add(name.strip());
            }
        }
        return String.join(",", names);
    }
}
