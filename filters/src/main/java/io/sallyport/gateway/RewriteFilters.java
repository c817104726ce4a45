// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import com.google.re2j.Pattern;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.support.ServerWebExchangeUtils;
import reactor.core.publisher.Mono;

/**
 * {@code RewritePath} and {@code RewriteResponseHeader} as the library has them, but for the engine: its own backtracks, and what
 * it would match is the client's choice. RE2 takes time in proportion to the input, whatever the expression.
 */
final class RewriteFilters {
    private RewriteFilters() {}

    /** @param replacement may name groups as {@code ${name}} or {@code $1} */
    static GatewayFilter path(Pattern pattern, String replacement) {
        return (exchange, chain) -> {
            var request = exchange.getRequest();
            ServerWebExchangeUtils.addOriginalRequestUrl(exchange, request.getURI());
            var path = pattern.matcher(request.getURI().getRawPath()).replaceAll(replacement);
            return chain.filter(exchange.mutate()
                    .request(request.mutate().path(path).build())
                    .build());
        };
    }

    /** @param replacement may name groups as {@code ${name}} or {@code $1} */
    static GatewayFilter responseHeader(String name, Pattern pattern, String replacement) {
        return (exchange, chain) -> chain.filter(exchange).then(Mono.fromRunnable(() -> {
            var headers = exchange.getResponse().getHeaders();
            var values = headers.get(name);
            if (values != null) {
                headers.put(
                        name,
                        values.stream()
                                .map(value -> pattern.matcher(value).replaceAll(replacement))
                                .toList());
            }
        }));
    }
}
