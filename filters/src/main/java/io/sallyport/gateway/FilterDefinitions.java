// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import io.sallyport.config.Findings;
import io.sallyport.config.NearestName;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.convert.ApplicationConversionService;
import org.springframework.cloud.gateway.filter.FilterDefinition;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.filter.OrderedGatewayFilter;
import org.springframework.cloud.gateway.filter.factory.AddRequestHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.AddRequestParameterGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.AddResponseHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.DedupeResponseHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.GatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.MapRequestHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.PrefixPathGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RemoveRequestHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RemoveRequestParameterGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RemoveResponseHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RequestHeaderSizeGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RequestSizeGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RewriteLocationResponseHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RewritePathGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RewriteRequestParameterGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RewriteResponseHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.SecureHeadersGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.SecureHeadersProperties;
import org.springframework.cloud.gateway.filter.factory.SetPathGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.SetRequestHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.SetResponseHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.StripPrefixGatewayFilterFactory;
import org.springframework.cloud.gateway.support.ConfigurationService;

/**
 * Compiles a route's {@code filters:}, each written as the library writes it: {@code StripPrefix=1}.
 *
 * <p>Only filters that change a path, a header, a parameter or judge a size are on the list. The others are left out because
 * they choose the upstream or let the client choose it ({@code SetRequestUri}, {@code RequestHeaderToRequestUri}, {@code
 * RedirectTo}, {@code SetRequestHostHeader}), decide what the pipeline decides ({@code RequestRateLimiter}, {@code
 * CircuitBreaker}, {@code Retry}, {@code TokenRelay}), hold a whole body in memory ({@code ModifyRequestBody}, {@code
 * CacheRequestBody}, {@code JsonToGrpc}, ...) or need a session.
 */
public final class FilterDefinitions {
    private static final Map<String, GatewayFilterFactory<?>> ALLOWED = new TreeMap<>();

    static {
        allow(new AddRequestHeaderGatewayFilterFactory());
        allow(new AddRequestParameterGatewayFilterFactory());
        allow(new AddResponseHeaderGatewayFilterFactory());
        allow(new DedupeResponseHeaderGatewayFilterFactory());
        allow(new MapRequestHeaderGatewayFilterFactory());
        allow(new PrefixPathGatewayFilterFactory());
        allow(new RemoveRequestHeaderGatewayFilterFactory());
        allow(new RemoveRequestParameterGatewayFilterFactory());
        allow(new RemoveResponseHeaderGatewayFilterFactory());
        allow(new RequestHeaderSizeGatewayFilterFactory());
        allow(new RequestSizeGatewayFilterFactory());
        allow(new RewriteLocationResponseHeaderGatewayFilterFactory());
        allow(new RewritePathGatewayFilterFactory());
        allow(new RewriteRequestParameterGatewayFilterFactory());
        allow(new RewriteResponseHeaderGatewayFilterFactory());
        allow(new SecureHeadersGatewayFilterFactory(new SecureHeadersProperties()));
        allow(new SetPathGatewayFilterFactory());
        allow(new SetRequestHeaderGatewayFilterFactory());
        allow(new SetResponseHeaderGatewayFilterFactory());
        allow(new StripPrefixGatewayFilterFactory());
    }

    private static final ConfigurationService BINDING = new ConfigurationService(
            new DefaultListableBeanFactory(), ApplicationConversionService::getSharedInstance, () -> null);

    private FilterDefinitions() {}

    private static void allow(GatewayFilterFactory<?> factory) {
        ALLOWED.put(factory.name(), factory);
    }

    /** The filters in their order, or findings at their places and null. */
    public static @Nullable CompiledFilters compile(List<String> definitions, Findings.Place at) {
        var filters = new ArrayList<GatewayFilter>();
        for (int i = 0; i < definitions.size(); i++) {
            var filter = compile(definitions.get(i), at.element(i));
            if (filter != null) {
                filters.add(new OrderedGatewayFilter(filter, i + 1));
            }
        }
        return filters.size() == definitions.size() ? new CompiledFilters(filters) : null;
    }

    private static @Nullable GatewayFilter compile(String text, Findings.Place at) {
        // The library would evaluate it as an expression, with all of Java at hand.
        if (text.contains("#{")) {
            at.reject(text, "arguments without #{...}");
            return null;
        }
        int equals = text.indexOf('=');
        var name = equals < 0 ? text : text.substring(0, equals);
        var factory = ALLOWED.get(name);
        if (factory == null) {
            at.reject(name, NearestName.expectation(name, ALLOWED.keySet()));
            return null;
        }
        try {
            var definition = new FilterDefinition();
            definition.setName(name);
            if (equals >= 0) {
                definition = new FilterDefinition(text);
            }
            return bind(factory, definition);
        } catch (RuntimeException e) {
            // Each filter finds its arguments wrong in its own words; the class of the failure helps nobody.
            at.reject(text, "the arguments of %s: %s".formatted(name, String.join(", ", factory.shortcutFieldOrder())));
            return null;
        }
    }

    private static <C> GatewayFilter bind(GatewayFilterFactory<C> factory, FilterDefinition definition) {
        var config = BINDING.with(factory)
                .name(definition.getName())
                .properties(definition.getArgs())
                .bind();
        return factory.apply(config);
    }
}
