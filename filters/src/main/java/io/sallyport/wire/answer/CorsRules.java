// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.forward.CorsPolicy;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The section {@code cors} of one route, compiled: what a page of another origin may ask (Fetch standard, "CORS protocol"). It
 * guards the user of a browser, not the upstream: who is no browser ignores it, and the pipeline decides all the same.
 */
public final class CorsRules implements CorsPolicy {
    private static final String TRUE = "true";

    /** What the gateway itself adds to answers and a page needs to understand a refusal. */
    private static final Set<String> OURS =
            Set.of("www-authenticate", "x-request-id", "retry-after", "ratelimit", "ratelimit-policy");

    /** Without these in {@code Vary} a cache would give one page's answer to another. */
    private static final String PREFLIGHT_VARY =
            "origin, access-control-request-method, access-control-request-headers";

    private final Set<String> origins;
    private final Set<String> requestHeaders;
    private final Set<HttpMethod> methods;
    private final String methodsField;
    private final String requestHeadersField;
    private final String exposedField;
    private final boolean credentials;
    private final String maxAge;

    private CorsRules(CorsConfig config, Set<HttpMethod> methods) {
        this.origins = config.origins().stream().map(Origin::value).collect(Collectors.toUnmodifiableSet());
        this.requestHeaders = config.headers().stream()
                .map(name -> name.toLowerCase(Locale.ROOT))
                .collect(Collectors.toCollection(LinkedHashSet::new));
        this.methods = Set.copyOf(methods);
        this.methodsField = methods.stream().map(HttpMethod::name).sorted().collect(Collectors.joining(", "));
        this.requestHeadersField = String.join(", ", requestHeaders);
        var exposed = new TreeSet<>(OURS);
        config.exposedHeaders().forEach(name -> exposed.add(name.toLowerCase(Locale.ROOT)));
        this.exposedField = String.join(", ", exposed);
        this.credentials = config.credentials();
        this.maxAge = Long.toString(config.maxAge().toSeconds());
    }

    /**
     * Compiles the section, or adds a finding at its place and returns null.
     *
     * @param methods the route's
     */
    public static @Nullable CorsRules compile(CorsConfig config, Set<HttpMethod> methods, Findings.Place at) {
        if (methods.contains(HttpMethod.OPTIONS)) {
            at.reject("(a section)", "nothing while match.methods has OPTIONS: with cors the gateway answers it");
            return null;
        }
        return new CorsRules(config, methods);
    }

    /** The methods that a page may use: the route's. */
    Set<HttpMethod> methods() {
        return methods;
    }

    @Override
    public void writeTo(HttpHeaders request, HttpHeaders answer) {
        answer.add(HttpHeaderNames.VARY, HttpHeaderNames.ORIGIN);
        var origin = request.get(HttpHeaderNames.ORIGIN);
        if (origin != null && origins.contains(origin)) {
            allow(origin, answer);
            answer.set(HttpHeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS, exposedField);
        }
    }

    /**
     * Answers a preflight for one of the {@link #methods}.
     *
     * @return what of the question is refused, and then nothing was written; null if the page may go on
     */
    @Nullable
    String answerPreflight(HttpHeaders request, HttpHeaders answer) {
        var origin = request.get(HttpHeaderNames.ORIGIN);
        if (origin == null || !origins.contains(origin)) {
            return origin == null ? "no origin" : "origin: " + origin;
        }
        var header = headerThatMayNotBeSet(request);
        if (header != null) {
            return "header: " + header;
        }
        allow(origin, answer);
        answer.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_METHODS, methodsField)
                .set(HttpHeaderNames.ACCESS_CONTROL_MAX_AGE, maxAge)
                .set(HttpHeaderNames.VARY, PREFLIGHT_VARY);
        if (!requestHeaders.isEmpty()) {
            answer.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_HEADERS, requestHeadersField);
        }
        return null;
    }

    private @Nullable String headerThatMayNotBeSet(HttpHeaders request) {
        for (var line : request.getAll(HttpHeaderNames.ACCESS_CONTROL_REQUEST_HEADERS)) {
            for (var name : line.split(",", -1)) {
                if (!requestHeaders.contains(name.strip().toLowerCase(Locale.ROOT))) {
                    return name.strip();
                }
            }
        }
        return null;
    }

    private void allow(String origin, HttpHeaders answer) {
        answer.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if (credentials) {
            answer.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
    }
}
