// SPDX-License-Identifier: Apache-2.0
package io.sallyport.gateway;

import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.NearestName;
import io.sallyport.edge.PathRules;
import io.sallyport.forward.RequestHeaders;
import io.sallyport.forward.ResponseHeaders;
import io.sallyport.identity.IdentityHeaders;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.filter.factory.AbstractGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.AbstractNameValueGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.AbstractNameValueGatewayFilterFactory.NameValueConfig;
import org.springframework.cloud.gateway.filter.factory.AddRequestHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.AddRequestParameterGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.AddResponseHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.DedupeResponseHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.MapRequestHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.PrefixPathGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RemoveRequestHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RemoveRequestParameterGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RemoveResponseHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RequestHeaderSizeGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.RequestSizeGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.SecureHeadersGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.SecureHeadersProperties;
import org.springframework.cloud.gateway.filter.factory.SetPathGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.SetRequestHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.SetResponseHeaderGatewayFilterFactory;
import org.springframework.cloud.gateway.filter.factory.StripPrefixGatewayFilterFactory;
import org.springframework.util.unit.DataSize;

/**
 * The {@code filters:} of a route: an allow-list of the library's filters, in its own notation, {@code Name=argument, argument}.
 * Each was chosen because it changes the path, the fields, the parameters or the size limits of one request towards the one
 * upstream that the route names, and can do nothing else. Arguments are judged here, when the configuration is loaded: a field
 * that the gateway owns cannot be written, and {@code {variable}} has to be one of the route's path.
 *
 * <p>Left out, and why:
 *
 * <ul>
 *   <li>{@code SetRequestUri}, {@code RequestHeaderToRequestUri}, {@code SetRequestHostHeader}, {@code PreserveHostHeader}: choose
 *       the upstream or what it takes itself for, some of them by the client's own word. {@code upstream.preserve-host} is ours.
 *   <li>{@code Retry}, {@code CircuitBreaker}, {@code RequestRateLimiter}, {@code FallbackHeaders}: send a request twice, or
 *       somewhere else, or fail open. {@code route} and {@code ratelimit} are ours.
 *   <li>{@code TokenRelay}, {@code SaveSession}: credentials and sessions. {@code upstream.forward-token} is ours.
 *   <li>{@code RedirectTo}, {@code SetStatus}, {@code LocalResponseCache}: answer in place of the upstream, or hide how it
 *       answered.
 *   <li>{@code ModifyRequestBody}, {@code ModifyResponseBody}, {@code CacheRequestBody}, {@code RemoveJsonAttributesResponseBody},
 *       {@code JsonToGrpc}: hold a whole body in memory.
 *   <li>{@code RewriteLocationResponseHeader}, {@code RewriteRequestParameter}, {@code AddRequestHeadersIfNotPresent}: nobody has
 *       asked for them yet.
 * </ul>
 */
public final class FilterDefinitions {
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9!#$%&'*+.^`|~-]{1,100}");
    private static final Pattern VISIBLE = Pattern.compile("[\\x20-\\x7e]{1,4000}");
    private static final Pattern PATH_TEMPLATE = Pattern.compile("/[A-Za-z0-9._~!$&'()*+,:@/{}-]*");
    private static final Pattern QUERY_VALUE = Pattern.compile("[A-Za-z0-9._~!$'()*,:@/?-]{0,1000}");
    private static final Pattern VARIABLE = Pattern.compile("\\{([^{}]*)}");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,9})(B|KB|MB)");
    private static final Pattern PARTS = Pattern.compile("[1-9][0-9]?");

    /** Those whose argument is a path. */
    private static final Set<String> WITH_A_PATH = Set.of("PrefixPath", "SetPath");

    /** Makes one filter of what stands behind its equals sign, or throws {@link InvalidSetting} with what was expected. */
    @FunctionalInterface
    private interface Definition {
        GatewayFilter compile(String arguments, OfRoute route);
    }

    /** What a definition has to know of its route. */
    private record OfRoute(Set<String> variables, PathRules paths, IdentityHeaders removed) {
        /** Whether the gateway itself writes or removes that field of a request. */
        boolean owns(CharSequence name) {
            return RequestHeaders.owns(name, removed);
        }
    }

    private static final Map<String, Definition> DEFINITIONS = new TreeMap<>(Map.ofEntries(
            Map.entry("AddRequestHeader", requestHeader(new AddRequestHeaderGatewayFilterFactory())),
            Map.entry("AddRequestParameter", FilterDefinitions::addRequestParameter),
            Map.entry("AddResponseHeader", responseHeader(new AddResponseHeaderGatewayFilterFactory())),
            Map.entry("DedupeResponseHeader", FilterDefinitions::dedupeResponseHeader),
            Map.entry("MapRequestHeader", FilterDefinitions::mapRequestHeader),
            Map.entry("PrefixPath", FilterDefinitions::prefixPath),
            Map.entry(
                    "RemoveRequestHeader",
                    removal(new RemoveRequestHeaderGatewayFilterFactory()::apply, "the name of a header")),
            Map.entry(
                    "RemoveRequestParameter",
                    removal(new RemoveRequestParameterGatewayFilterFactory()::apply, "the name of a parameter")),
            Map.entry(
                    "RemoveResponseHeader",
                    removal(new RemoveResponseHeaderGatewayFilterFactory()::apply, "the name of a header")),
            Map.entry("RequestHeaderSize", FilterDefinitions::requestHeaderSize),
            Map.entry("RequestSize", FilterDefinitions::requestSize),
            Map.entry("RewritePath", FilterDefinitions::rewritePath),
            Map.entry("RewriteResponseHeader", FilterDefinitions::rewriteResponseHeader),
            Map.entry("SecureHeaders", FilterDefinitions::secureHeaders),
            Map.entry("SetPath", FilterDefinitions::setPath),
            Map.entry("SetRequestHeader", requestHeader(new SetRequestHeaderGatewayFilterFactory())),
            Map.entry("SetResponseHeader", responseHeader(new SetResponseHeaderGatewayFilterFactory())),
            Map.entry("StripPrefix", FilterDefinitions::stripPrefix)));

    private FilterDefinitions() {}

    /**
     * Compiles the filters of one route.
     *
     * @param definitions as the operator wrote them, in their order
     * @param variables the names of the variables in the route's path
     * @param paths what the paths of the route may have
     * @param removed the identity headers that neither clients nor filters may write on the route
     * @return null, with findings added, if one of them is wrong
     */
    public static @Nullable CompiledFilters compile(
            List<String> definitions,
            Set<String> variables,
            PathRules paths,
            IdentityHeaders removed,
            Findings.Place at) {
        var route = new OfRoute(variables, paths, removed);
        var filters = new ArrayList<GatewayFilter>();
        for (int i = 0; i < definitions.size(); i++) {
            var filter = compile(definitions.get(i), route, at.element(i));
            if (filter != null) {
                filters.add(filter);
            }
        }
        return filters.size() == definitions.size() ? new CompiledFilters(filters, paths) : null;
    }

    private static @Nullable GatewayFilter compile(String definition, OfRoute route, Findings.Place at) {
        int equals = definition.indexOf('=');
        var name = (equals < 0 ? definition : definition.substring(0, equals)).strip();
        var known = DEFINITIONS.get(name);
        if (known == null) {
            at.reject(definition, nearestFirst(name));
            return null;
        }
        if (route.paths().passesEncodedSlashes() && WITH_A_PATH.contains(name) && definition.indexOf('{') >= 0) {
            // The value would get its slash back, and be several segments.
            at.reject(definition, "a path without variables, because of paths.encoded-slash");
            return null;
        }
        try {
            return known.compile(
                    equals < 0 ? "" : definition.substring(equals + 1).strip(), route);
        } catch (InvalidSetting e) {
            at.reject(definition, e.expected());
            return null;
        }
    }

    private static String nearestFirst(String name) {
        var names = new ArrayList<>(DEFINITIONS.keySet());
        var nearest = NearestName.nearest(name, names);
        if (nearest != null) {
            names.remove(nearest);
            names.addFirst(nearest);
        }
        return "one of " + String.join(", ", names);
    }

    // fields

    private static Definition requestHeader(AbstractNameValueGatewayFilterFactory factory) {
        return (arguments, route) -> nameAndValue(factory, arguments, route.variables(), route::owns);
    }

    private static Definition responseHeader(AbstractNameValueGatewayFilterFactory factory) {
        return (arguments, route) -> nameAndValue(factory, arguments, route.variables(), ResponseHeaders::owns);
    }

    private static GatewayFilter nameAndValue(
            AbstractNameValueGatewayFilterFactory factory,
            String arguments,
            Set<String> variables,
            Predicate<CharSequence> owned) {
        var parts = split(arguments, "a header, a comma and its value");
        var name = headerName(parts[0], owned);
        var value = require(VISIBLE, parts[1], "a header value of printable ASCII");
        requireKnown(value, variables);
        var config = factory.newConfig();
        config.setName(name);
        config.setValue(value);
        return factory.apply(config);
    }

    private static Definition removal(
            Function<AbstractGatewayFilterFactory.NameConfig, GatewayFilter> factory, String expected) {
        return (arguments, _) -> {
            var config = new AbstractGatewayFilterFactory.NameConfig();
            config.setName(require(TOKEN, arguments, expected));
            return factory.apply(config);
        };
    }

    private static GatewayFilter mapRequestHeader(String arguments, OfRoute route) {
        var names = split(arguments, "the header to read, a comma and the header to write");
        if (route.removed().contains(names[0])) {
            throw new InvalidSetting(
                    "", arguments, "another header to read: %s is removed from requests".formatted(names[0]));
        }
        return new MapRequestHeaderGatewayFilterFactory()
                .apply(new MapRequestHeaderGatewayFilterFactory.Config()
                        .setFromHeader(require(TOKEN, names[0], "the name of a header"))
                        .setToHeader(headerName(names[1], route::owns)));
    }

    private static GatewayFilter dedupeResponseHeader(String arguments, OfRoute route) {
        var expected =
                "headers separated by spaces, then perhaps a comma and RETAIN_FIRST, RETAIN_LAST or RETAIN_UNIQUE";
        int comma = arguments.lastIndexOf(',');
        var names = (comma < 0 ? arguments : arguments.substring(0, comma)).strip();
        var strategy =
                comma < 0 ? "RETAIN_FIRST" : arguments.substring(comma + 1).strip();
        for (var name : names.split(" ", -1)) {
            require(TOKEN, name, expected);
        }
        var config = new DedupeResponseHeaderGatewayFilterFactory.Config();
        config.setName(names);
        try {
            config.setStrategy(DedupeResponseHeaderGatewayFilterFactory.Strategy.valueOf(strategy));
        } catch (IllegalArgumentException e) {
            throw new InvalidSetting("", arguments, expected);
        }
        return new DedupeResponseHeaderGatewayFilterFactory().apply(config);
    }

    private static GatewayFilter rewriteResponseHeader(String arguments, OfRoute route) {
        var expected = "a header, a comma, a regular expression, a comma and its replacement";
        var name = split(arguments, expected);
        var rewrite = split(name[1], expected, name[1].lastIndexOf(','));
        return RewriteFilters.responseHeader(
                headerName(name[0], ResponseHeaders::owns), pattern(rewrite[0]), replacement(rewrite[1]));
    }

    private static GatewayFilter secureHeaders(String arguments, OfRoute route) {
        if (!arguments.isEmpty()) {
            throw new InvalidSetting("", arguments, "SecureHeaders, without arguments");
        }
        return new SecureHeadersGatewayFilterFactory(new SecureHeadersProperties())
                .apply(new SecureHeadersGatewayFilterFactory.Config());
    }

    // the path

    private static GatewayFilter stripPrefix(String arguments, OfRoute route) {
        var config = new StripPrefixGatewayFilterFactory.Config();
        config.setParts(Integer.parseInt(require(PARTS, arguments, "how many segments to strip, 1 to 99")));
        return new StripPrefixGatewayFilterFactory().apply(config);
    }

    private static GatewayFilter prefixPath(String arguments, OfRoute route) {
        var config = new PrefixPathGatewayFilterFactory.Config();
        config.setPrefix(pathTemplate(arguments, route.variables()));
        return new PrefixPathGatewayFilterFactory().apply(config);
    }

    private static GatewayFilter setPath(String arguments, OfRoute route) {
        var config = new SetPathGatewayFilterFactory.Config();
        config.setTemplate(pathTemplate(arguments, route.variables()));
        return new SetPathGatewayFilterFactory().apply(config);
    }

    private static String pathTemplate(String template, Set<String> variables) {
        require(PATH_TEMPLATE, template, "a path; {variable} stands for a variable of the route's path");
        requireKnown(template, variables);
        return template;
    }

    private static GatewayFilter rewritePath(String arguments, OfRoute route) {
        var parts = split(arguments, "a regular expression, a comma and its replacement", arguments.lastIndexOf(','));
        return RewriteFilters.path(pattern(parts[0]), replacement(parts[1]));
    }

    private static com.google.re2j.Pattern pattern(String expression) {
        try {
            return com.google.re2j.Pattern.compile(expression);
        } catch (com.google.re2j.PatternSyntaxException e) {
            throw new InvalidSetting(
                    "", expression, "a regular expression of RE2, which has no look-around and no back-references");
        }
    }

    // In YAML and in property files the dollar sign is written as $\ in the library's notation.
    private static String replacement(String written) {
        return written.replace("$\\", "$");
    }

    // parameters

    private static GatewayFilter addRequestParameter(String arguments, OfRoute route) {
        var parts = split(arguments, "a parameter, a comma and its value");
        // No variables: a path may say & and =, and would add parameters of its own.
        return new AddRequestParameterGatewayFilterFactory()
                .apply(new NameValueConfig()
                        .setName(require(TOKEN, parts[0], "the name of a parameter"))
                        .setValue(require(
                                QUERY_VALUE,
                                parts[1],
                                "a value of letters, digits and - . _ ~ ! $ ' ( ) * , : @ / ?")));
    }

    // sizes

    private static GatewayFilter requestSize(String arguments, OfRoute route) {
        return new RequestSizeGatewayFilterFactory()
                .apply(new RequestSizeGatewayFilterFactory.RequestSizeConfig().setMaxSize(size(arguments)));
    }

    private static GatewayFilter requestHeaderSize(String arguments, OfRoute route) {
        var config = new RequestHeaderSizeGatewayFilterFactory.Config();
        config.setMaxSize(size(arguments));
        return new RequestHeaderSizeGatewayFilterFactory().apply(config);
    }

    private static DataSize size(String written) {
        var expected = "a size from 1B, such as 512B, 8KB or 1MB";
        var matcher = SIZE.matcher(written);
        if (!matcher.matches() || Long.parseLong(matcher.group(1)) == 0) {
            throw new InvalidSetting("", written, expected);
        }
        long amount = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "KB" -> DataSize.ofKilobytes(amount);
            case "MB" -> DataSize.ofMegabytes(amount);
            default -> DataSize.ofBytes(amount);
        };
    }

    // arguments

    private static String[] split(String arguments, String expected) {
        return split(arguments, expected, arguments.indexOf(','));
    }

    private static String[] split(String arguments, String expected, int comma) {
        if (comma < 0) {
            throw new InvalidSetting("", arguments, expected);
        }
        return new String[] {
            arguments.substring(0, comma).strip(),
            arguments.substring(comma + 1).strip()
        };
    }

    private static String headerName(String name, Predicate<CharSequence> owned) {
        require(TOKEN, name, "the name of a header");
        if (owned.test(name)) {
            throw new InvalidSetting("", name, "another header: the gateway itself writes or removes " + name);
        }
        return name;
    }

    private static String require(Pattern pattern, String value, String expected) {
        if (!pattern.matcher(value).matches()) {
            throw new InvalidSetting("", value, expected);
        }
        return value;
    }

    private static void requireKnown(String template, Set<String> variables) {
        var rest = VARIABLE.matcher(template).replaceAll("");
        if (rest.indexOf('{') >= 0 || rest.indexOf('}') >= 0) {
            throw new InvalidSetting("", template, "each { with its } around a variable of the route's path");
        }
        VARIABLE.matcher(template).results().map(match -> match.group(1)).forEach(variable -> {
            if (!variables.contains(variable)) {
                throw new InvalidSetting(
                        "", template, "variables of the route's path: " + NearestName.expectation(variable, variables));
            }
        });
    }
}
