// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextType;
import org.springframework.context.annotation.Bean;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.security.authentication.AuthenticationServiceException;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.AuthorizationResult;
import org.springframework.security.config.annotation.web.reactive.EnableWebFluxSecurity;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.AuthenticationException;
import org.springframework.security.oauth2.server.resource.web.server.authentication.ServerBearerTokenAuthenticationConverter;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.security.web.server.context.NoOpServerSecurityContextRepository;
import org.springframework.security.web.server.savedrequest.NoOpServerRequestCache;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * Guards the management port, and only that: it is a configuration of the child context, so no filter of it ever runs for a
 * request of the ingress port. Anonymous callers see the two probes, without details; the metrics take a credential of {@code
 * management.scrape} or a token; everything else takes a token with a scope; what is not named here is denied.
 */
@ManagementContextConfiguration(value = ManagementContextType.CHILD, proxyBeanMethods = false)
@EnableWebFluxSecurity
class ManagementSecurity {
    private static final String[] PROBES = {
        "/livez", "/readyz", "/actuator/health/liveness", "/actuator/health/readiness"
    };
    private static final String METRICS = "/actuator/prometheus";
    private static final String[] READABLE = {"/actuator/health", "/actuator/health/*", RevocationEndpoint.PATH};
    private static final String SCOPE = "SCOPE_";
    private static final String BEARER = "Bearer ";
    private static final Duration RETRY_AFTER = Duration.ofSeconds(5);

    @Bean
    SecurityWebFilterChain managementSecurityChain(
            ServerHttpSecurity http, ManagementConfig config, ManagementTokens tokens, ScrapeAccess scrapers) {
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
            if (config.issuer() != null || scrapers.isConfigured()) {
                exchanges
                        .pathMatchers(HttpMethod.GET, METRICS)
                        .access((caller, context) -> mayScrape(caller, context.getExchange(), config, scrapers));
            }
            if (config.issuer() != null) {
                exchanges
                        .pathMatchers(HttpMethod.GET, READABLE)
                        .hasAuthority(SCOPE + config.readScope())
                        .pathMatchers(HttpMethod.POST, RevocationEndpoint.PATH)
                        .hasAuthority(SCOPE + config.writeScope())
                        .pathMatchers(HttpMethod.DELETE, RevocationEndpoint.PATH)
                        .hasAuthority(SCOPE + config.writeScope());
            }
            exchanges.anyExchange().denyAll();
        });
        if (config.issuer() != null) {
            var bearer = new ServerBearerTokenAuthenticationConverter();
            http.oauth2ResourceServer(server -> server.jwt(jwt -> jwt.jwtDecoder(tokens))
                    // No issuer is asked about the token of a scraper.
                    .bearerTokenConverter(
                            exchange -> isScrape(exchange, scrapers) ? Mono.empty() : bearer.convert(exchange))
                    .authenticationFailureHandler((filter, failure) -> failed(filter.getExchange(), failure))
                    .authenticationEntryPoint((exchange, _) -> unauthenticated(exchange))
                    .accessDeniedHandler((exchange, _) -> forbidden(exchange)));
        }
        return http.build();
    }

    private static Mono<AuthorizationResult> mayScrape(
            Mono<Authentication> caller, ServerWebExchange exchange, ManagementConfig config, ScrapeAccess scrapers) {
        if (isScrape(exchange, scrapers)) {
            return Mono.just(new AuthorizationDecision(true));
        }
        var authority = SCOPE + config.readScope();
        return caller.map(known -> known.isAuthenticated()
                        && known.getAuthorities().stream()
                                .anyMatch(granted -> authority.equals(granted.getAuthority())))
                .defaultIfEmpty(false)
                .map(AuthorizationDecision::new);
    }

    private static boolean isScrape(ServerWebExchange exchange, ScrapeAccess scrapers) {
        var request = exchange.getRequest();
        return request.getMethod().equals(HttpMethod.GET)
                && request.getPath().pathWithinApplication().value().equals(METRICS)
                && (scrapers.admits(certificatesOf(request)) || hasToken(request, scrapers));
    }

    private static boolean hasToken(ServerHttpRequest request, ScrapeAccess scrapers) {
        var credentials = request.getHeaders().getOrEmpty(HttpHeaders.AUTHORIZATION);
        return credentials.size() == 1
                && credentials.getFirst().regionMatches(true, 0, BEARER, 0, BEARER.length())
                && scrapers.isToken(credentials.getFirst().substring(BEARER.length()));
    }

    private static List<X509Certificate> certificatesOf(ServerHttpRequest request) {
        var tls = request.getSslInfo();
        var certificates = tls == null ? null : tls.getPeerCertificates();
        return certificates == null ? List.of() : List.of(certificates);
    }

    /** What could not be judged is no bad token, and no failure of this server's: nobody sees a stack trace. */
    private static Mono<Void> failed(ServerWebExchange exchange, AuthenticationException failure) {
        if (!(failure instanceof AuthenticationServiceException)) {
            return unauthenticated(exchange);
        }
        var response = exchange.getResponse();
        response.setStatusCode(HttpStatus.SERVICE_UNAVAILABLE);
        response.getHeaders().set(HttpHeaders.RETRY_AFTER, Long.toString(RETRY_AFTER.toSeconds()));
        response.getHeaders().setContentType(MediaType.APPLICATION_PROBLEM_JSON);
        var body =
                "{\"title\":\"Temporarily unavailable\",\"status\":503,\"detail\":\"The keys of management.issuer are not available\"}";
        return response.writeWith(Mono.just(response.bufferFactory().wrap(body.getBytes(StandardCharsets.US_ASCII))));
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
