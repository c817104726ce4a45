// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The requests that a route is for: the section {@code match} of a route.
 *
 * @param hosts at least one, each once
 * @param methods at least one, each once; what is not listed is answered with 405, {@code HEAD} too
 */
public record MatchConfig(
        @Setting("The hosts that the route answers for: exact names in lower case, without port.")
        List<HostName> hosts,

        @Setting(
                "The path, compared by segments: literal, {name} or * for one segment, ** at the end for any rest. What {name} matched is path.name in rules.")
        PathPattern path,

        @Setting(
                "The methods that the route takes: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS. HEAD is not part of GET.")
        List<String> methods) {

    private static final List<String> KNOWN = List.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");

    public MatchConfig {
        hosts = List.copyOf(hosts);
        methods = List.copyOf(methods);
        requireEachOnce("hosts", hosts);
        requireEachOnce("methods", methods);
        for (var method : methods) {
            if (!KNOWN.contains(method)) {
                throw new InvalidSetting("methods", method, "one of " + String.join(", ", KNOWN));
            }
        }
    }

    private static void requireEachOnce(String key, List<?> values) {
        if (values.isEmpty()) {
            throw new InvalidSetting(key, "[]", "at least one");
        }
        var seen = new HashSet<Object>();
        for (var value : values) {
            if (!seen.add(value)) {
                throw new InvalidSetting(key, value, "each once");
            }
        }
    }

    /** The methods as {@link RouteTable} takes them. */
    public Set<HttpMethod> methodSet() {
        return methods.stream().map(HttpMethod::valueOf).collect(Collectors.toUnmodifiableSet());
    }
}
