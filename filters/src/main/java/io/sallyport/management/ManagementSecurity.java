// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import java.util.List;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextType;
import org.springframework.context.annotation.Bean;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.security.config.annotation.web.reactive.EnableWebFluxSecurity;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.security.web.server.context.NoOpServerSecurityContextRepository;
import org.springframework.security.web.server.savedrequest.NoOpServerRequestCache;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * Guards the management port, and only that: it is a configuration of the child context, so no filter of it ever runs for a
 * request of the ingress port. Anonymous callers see the two probes, without details; everything else takes a token with a scope; what
 * is not named here is denied.
 */
@ManagementContextConfiguration(value = ManagementContextType.CHILD, proxyBeanMethods = false)
@EnableWebFluxSecurity
class ManagementSecurity {
    private static final String[] PROBES = {
        "/livez", "/readyz", "/actuator/health/liveness", "/actuator/health/readiness"
    };
    private static final String[] READABLE = {
        "/actuator/health", "/actuator/health/*", "/actuator/prometheus", RevocationEndpoint.PATH
    };

    @Bean
    SecurityWebFilterChain managementSecurityChain(
            ServerHttpSecurity http, ManagementConfig config, ManagementTokens tokens) {
        http.csrf(ServerHttpSecurity.CsrfSpec::disable)
                .httpBasic(ServerHttpSecurity.HttpBasicSpec::disable)
                .formLogin(ServerHttpSecurity.FormLoginSpec::disable)
                .logout(ServerHttpSecurity.LogoutSpec::disable)
                .requestCache(cache -> cache.requestCache(NoOpServerRequestCache.getInstance()))
                .securityContextRepository(NoOpServerSecurityContextRepository.getInstance())
                .exceptionHandling(
                        handling -> handling.authenticationEntryPoint((exchange, _) -> unauthenticated(exchange))
                                .accessDeniedHandler((exchange, _) -> forbidden(exchange)));
        http.authorizeExchange(exchanges -> {
            exchanges.pathMatchers(HttpMethod.GET, PROBES).permitAll();
            if (config.issuer() != null) {
                exchanges
                        .pathMatchers(HttpMethod.GET, READABLE)
                        .hasAuthority("SCOPE_" + config.readScope())
                        .pathMatchers(HttpMethod.POST, RevocationEndpoint.PATH)
                        .hasAuthority("SCOPE_" + config.writeScope())
                        .pathMatchers(HttpMethod.DELETE, RevocationEndpoint.PATH)
                        .hasAuthority("SCOPE_" + config.writeScope());
            }
            exchanges.anyExchange().denyAll();
        });
        if (config.issuer() != null) {
            http.oauth2ResourceServer(server -> server.jwt(jwt -> jwt.jwtDecoder(tokens))
                    .authenticationEntryPoint((exchange, _) -> unauthenticated(exchange))
                    .accessDeniedHandler((exchange, _) -> forbidden(exchange)));
        }
        return http.build();
    }

    // Trap T9: the library's entry points put a decoder's message into the challenge. Ours has fixed texts.
    private static Mono<Void> unauthenticated(ServerWebExchange exchange) {
        boolean presented = exchange.getRequest().getHeaders().containsHeader(HttpHeaders.AUTHORIZATION);
        return challenge(exchange, HttpStatus.UNAUTHORIZED, presented ? "Bearer error=\"invalid_token\"" : "Bearer");
    }

    private static Mono<Void> forbidden(ServerWebExchange exchange) {
        return challenge(exchange, HttpStatus.FORBIDDEN, "Bearer error=\"insufficient_scope\"");
    }

    private static Mono<Void> challenge(ServerWebExchange exchange, HttpStatus status, String challenge) {
        var response = exchange.getResponse();
        response.setStatusCode(status);
        response.getHeaders().put(HttpHeaders.WWW_AUTHENTICATE, List.of(challenge));
        return response.setComplete();
    }
}
