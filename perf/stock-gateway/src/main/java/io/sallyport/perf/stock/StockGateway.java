// SPDX-License-Identifier: Apache-2.0
package io.sallyport.perf.stock;

import java.util.Objects;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.HttpMethod;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.AuthorizationResult;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.core.Authentication;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.security.web.server.authorization.AuthorizationContext;
import org.springframework.security.web.server.context.NoOpServerSecurityContextRepository;
import reactor.core.publisher.Mono;

/**
 * The same job with the stock parts: one route, tokens verified by the resource server on each request, the tenant of the
 * path compared with the token's, mutual TLS to the upstream. It has no rate limit (the stock one needs Redis), no pin of the
 * upstream's identity, no header firewall and no denial record.
 */
@SpringBootApplication
public class StockGateway {
    public static void main(String[] args) {
        SpringApplication.run(StockGateway.class, args);
    }

    @Bean
    SecurityWebFilterChain security(ServerHttpSecurity http) {
        return http.csrf(ServerHttpSecurity.CsrfSpec::disable)
                .securityContextRepository(NoOpServerSecurityContextRepository.getInstance())
                .authorizeExchange(exchange -> exchange.pathMatchers(HttpMethod.GET, "/v1/tenants/{tenant}/payments/**")
                        .access(StockGateway::tenantMatches)
                        .anyExchange()
                        .denyAll())
                .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
                .build();
    }

    private static Mono<AuthorizationResult> tenantMatches(
            Mono<Authentication> authentication, AuthorizationContext context) {
        return authentication
                .ofType(JwtAuthenticationToken.class)
                .<AuthorizationResult>map(token -> new AuthorizationDecision(token.isAuthenticated()
                        && Objects.equals(
                                context.getVariables().get("tenant"),
                                token.getToken().getClaimAsString("tenant_id"))))
                .defaultIfEmpty(new AuthorizationDecision(false));
    }
}
