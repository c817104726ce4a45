// SPDX-License-Identifier: Apache-2.0
package io.sallyport.autoconfigure;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.authenticate.AcceptedTokens;
import io.sallyport.edge.PathPattern;
import io.sallyport.edge.RouteTable;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.CorsRules;
import io.sallyport.wire.ListenerConfig;
import io.sallyport.wire.LocalAnswer;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The routes that nobody writes: for each host its protected-resource metadata (RFC 9728), the preflights of routes with {@code
 * cors}, and the route for whatever matches no other. Told of each operator's route, then asked for its own.
 */
final class BuiltInRoutes {
    private static final String METADATA_PATH = "/.well-known/oauth-protected-resource";
    private static final Set<HttpMethod> READING = Set.of(HttpMethod.GET, HttpMethod.HEAD);

    private final @Nullable ListenerConfig listener;
    private final StageModes modes;
    private final Map<String, Host> hosts = new LinkedHashMap<>();

    /** What is known of one host so far. */
    private static final class Host {
        private final Map<String, Resource> resources = new LinkedHashMap<>();
        private final Map<String, Preflight> preflights = new LinkedHashMap<>();
    }

    /** What a caller has to bring for paths that begin alike. */
    private static final class Resource {
        private final List<AcceptedTokens> accepted = new ArrayList<>();
        private final Set<String> scopes = new TreeSet<>();

        private void add(AcceptedTokens tokens, List<String> required) {
            accepted.add(tokens);
            scopes.addAll(required);
        }
    }

    private record Preflight(PathPattern path, List<CorsRules> rules) {}

    /** @param listener how clients reach the gateway; null where there are findings, so that nobody will see a URI */
    BuiltInRoutes(@Nullable ListenerConfig listener, StageModes modes) {
        this.listener = listener;
        this.modes = modes;
    }

    /** Where the metadata is of what begins with that path, for challenges. */
    URI metadata(String host, String pathPrefix) {
        return URI.create(origin(host) + METADATA_PATH + pathPrefix);
    }

    private String origin(String host) {
        return listener == null ? "https://" + host : listener.scheme() + "://" + host + listener.portSuffix();
    }

    /** @param accepted null if the route is public */
    void add(
            String host,
            PathPattern path,
            @Nullable AcceptedTokens accepted,
            List<String> scopes,
            @Nullable CorsRules cors) {
        var known = hosts.computeIfAbsent(host, _ -> new Host());
        if (accepted != null) {
            known.resources
                    .computeIfAbsent(path.literalPrefix(), _ -> new Resource())
                    .add(accepted, scopes);
        }
        if (cors != null) {
            // Two patterns that differ in the names of their variables are one place in the table.
            var place = path.toString().replaceAll("\\{[^}]*}", "*");
            known.preflights
                    .computeIfAbsent(place, _ -> new Preflight(path, new ArrayList<>()))
                    .rules()
                    .add(cors);
        }
    }

    /** The routes by which the gateway answers itself. */
    List<RouteTable.Entry> entries() {
        var entries = new ArrayList<RouteTable.Entry>();
        hosts.forEach((host, known) -> {
            metadataOf(known).forEach((prefix, resource) -> {
                // Who comes with a certificate alone has no authorization server to be told of.
                if (resource.accepted.stream().anyMatch(AcceptedTokens::takesTokens)) {
                    entries.add(metadataEntry(host, prefix, resource));
                }
            });
            known.preflights.values().forEach(preflight -> entries.add(preflightEntry(host, preflight)));
        });
        return entries;
    }

    /** The resources, and the host as a whole: the challenge for what matches no route names that. */
    private static Map<String, Resource> metadataOf(Host known) {
        var resources = new LinkedHashMap<String, Resource>();
        if (!known.resources.isEmpty()) {
            var whole = new Resource();
            known.resources
                    .values()
                    .forEach(resource ->
                            resource.accepted.forEach(tokens -> whole.add(tokens, List.copyOf(resource.scopes))));
            resources.putAll(known.resources);
            resources.put("", whole);
        }
        return resources;
    }

    private RouteTable.Entry metadataEntry(String host, String prefix, Resource resource) {
        var accepted = AcceptedTokens.unmatched(resource.accepted, metadata(host, prefix), host);
        var answer = LocalAnswer.ProtectedResource.of(
                URI.create(origin(host) + prefix), accepted.authorizationServers(), resource.scopes);
        return new RouteTable.Entry(
                local("sallyport:protected-resource", host, answer),
                PathPattern.parse(METADATA_PATH + prefix),
                READING);
    }

    private RouteTable.Entry preflightEntry(String host, Preflight preflight) {
        var answer = LocalAnswer.Preflight.of(preflight.rules());
        return new RouteTable.Entry(
                local("sallyport:preflight", host, answer), preflight.path(), Set.of(HttpMethod.OPTIONS));
    }

    private Route local(String name, String host, LocalAnswer answer) {
        var route = Route.builder(name, host, Route.Kind.LOCAL).makePublic().settings(StageName.FORWARD, answer);
        modes.applyTo(route);
        return route.build();
    }

    /** For each host the route for whatever matches no other: as open as what the host has, and never more. */
    List<Route> unmatched() {
        var routes = new ArrayList<Route>();
        hosts.forEach((host, known) -> {
            var route = Route.builder("sallyport:unmatched", host, Route.Kind.UNMATCHED);
            modes.applyTo(route);
            var accepted = known.resources.values().stream()
                    .flatMap(resource -> resource.accepted.stream())
                    .toList();
            if (accepted.isEmpty()) {
                route.makePublic();
            } else {
                route.settings(StageName.AUTHENTICATE, AcceptedTokens.unmatched(accepted, metadata(host, ""), host));
            }
            routes.add(route.build());
        });
        return routes;
    }
}
