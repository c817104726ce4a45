// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.authenticate.AcceptedTokens;
import io.sallyport.decision.ProtectedResource;
import io.sallyport.edge.PathPattern;
import io.sallyport.edge.PathRules;
import io.sallyport.edge.RouteTable;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.answer.CorsRules;
import io.sallyport.wire.answer.LocalAnswer;
import io.sallyport.wire.answer.LocalForwarder;
import io.sallyport.wire.listener.ListenerConfig;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The routes that nobody writes: for each host its protected-resource metadata (RFC 9728), the keys that the gateway signs with, the
 * preflights of routes with {@code cors}, and the route for whatever matches no other. Told of each operator's route, then asked for its own.
 */
final class BuiltInRoutes {
    /** Where upstreams find the keys that the gateway signs with. */
    private static final String SIGNING_KEYS_PATH = "/.well-known/sallyport/jwks.json";

    /** A challenge names the path that was asked for, whatever its route lets pass. */
    private static final PathRules ANY_PATH = new PathRules(PathRules.Handling.PASS, PathRules.Handling.PASS);

    private static final Set<HttpMethod> READING = Set.of(HttpMethod.GET, HttpMethod.HEAD);

    private final @Nullable ListenerConfig listener;
    private final boolean signing;
    private final StageModes modes;
    private final Map<String, Host> hosts = new LinkedHashMap<>();

    /** What is known of one host so far. */
    private static final class Host {
        private final Resource resource = new Resource();
        private final Map<String, Preflight> preflights = new LinkedHashMap<>();
    }

    /** What a caller has to bring. */
    private static final class Resource {
        private final List<AcceptedTokens> accepted = new ArrayList<>();
        private final Set<String> scopes = new TreeSet<>();

        private void add(AcceptedTokens tokens, List<String> required) {
            accepted.add(tokens);
            scopes.addAll(required);
        }
    }

    private record Preflight(PathPattern path, List<CorsRules> rules, PathRules paths) {
        /** With another route for the same paths. */
        Preflight and(CorsRules other, PathRules passed) {
            var all = new ArrayList<>(rules);
            all.add(other);
            return new Preflight(path, all, paths.or(passed));
        }
    }

    /**
     * Knows no route yet.
     *
     * @param listener how clients reach the gateway; null where there are findings, so that nobody will see a URI
     * @param signing whether the gateway has keys that it signs with
     */
    BuiltInRoutes(@Nullable ListenerConfig listener, boolean signing, StageModes modes) {
        this.listener = listener;
        this.signing = signing;
        this.modes = modes;
    }

    /** Where the metadata of that host is, for challenges. */
    URI metadata(String host) {
        return URI.create(origin(host) + LocalForwarder.METADATA_PATH);
    }

    private String origin(String host) {
        return listener == null ? "https://" + host : listener.scheme() + "://" + host + listener.portSuffix();
    }

    /**
     * Tells of a route on one of its hosts.
     *
     * @param name of the host
     * @param accepted null if the route is public
     */
    void add(
            String name,
            PathPattern path,
            @Nullable AcceptedTokens accepted,
            List<String> scopes,
            @Nullable CorsRules cors,
            PathRules paths) {
        var host = hosts.computeIfAbsent(name, _ -> new Host());
        if (accepted != null) {
            host.resource.add(accepted, scopes);
        }
        if (cors != null) {
            var place = placeOf(path);
            var known = host.preflights.getOrDefault(place, new Preflight(path, List.of(), PathRules.STRICT));
            host.preflights.put(place, known.and(cors, paths));
        }
    }

    /** Notes what built-in routes a route would bring along: of each but once. */
    void place(String host, PathPattern path, boolean cors, Map<String, RouteTable.Entry> places) {
        if (signing) {
            place("sallyport:signing-keys", host, PathPattern.parse(SIGNING_KEYS_PATH), READING, places);
        }
        if (cors) {
            place("sallyport:preflight", host, path, Set.of(HttpMethod.OPTIONS), places);
        }
    }

    private static void place(
            String name, String host, PathPattern path, Set<HttpMethod> methods, Map<String, RouteTable.Entry> places) {
        places.computeIfAbsent(
                "%s %s%s".formatted(name, host, placeOf(path)),
                _ -> new RouteTable.Entry(
                        Route.builder(name, host, Route.Kind.LOCAL).build(), path, methods));
    }

    /** Two patterns that differ in the names of their variables are one place in the table. */
    private static String placeOf(PathPattern path) {
        return path.toString().replaceAll("\\{[^}]*}", "*");
    }

    /** The built-in routes of one file, with what each was made from. */
    static final class Made {
        static final Made NONE = new Made(Map.of());

        private final Map<String, OfHost> hosts;

        private Made(Map<String, OfHost> hosts) {
            this.hosts = hosts;
        }

        /** @param signingKeys null if the gateway signs nothing */
        private record OfHost(
                @Nullable Metadata metadata,
                Map<String, Preflights> preflights,
                RouteTable.@Nullable Entry signingKeys,
                Unmatched unmatched) {
            private static final OfHost NONE = new OfHost(null, Map.of(), null, new Unmatched(List.of(), null));
        }

        /** @param entry null if no token is accepted: who comes with a certificate has no authorization server to be told of */
        private record Metadata(List<AcceptedTokens> accepted, Set<String> scopes, RouteTable.@Nullable Entry entry) {}

        private record Preflights(Preflight of, RouteTable.Entry entry) {}

        private record Unmatched(
                List<AcceptedTokens> accepted, @Nullable Route route) {}

        private OfHost of(String host) {
            return hosts.getOrDefault(host, OfHost.NONE);
        }

        /** The routes by which the gateway answers itself. */
        List<RouteTable.Entry> entries() {
            var entries = new ArrayList<RouteTable.Entry>();
            for (var host : hosts.values()) {
                var metadata = host.metadata();
                if (metadata != null && metadata.entry() != null) {
                    entries.add(metadata.entry());
                }
                host.preflights().values().forEach(preflights -> entries.add(preflights.entry()));
                if (host.signingKeys() != null) {
                    entries.add(host.signingKeys());
                }
            }
            return entries;
        }

        /** For each host the route for whatever matches no other: as open as what the host has, and never more. */
        List<Route> unmatched() {
            return hosts.values().stream()
                    .map(host -> Objects.requireNonNull(host.unmatched().route()))
                    .toList();
        }
    }

    /**
     * Makes the built-in routes of what was {@link #add added}.
     *
     * @param before those of a file with the same listener and stages: what was made from the very same is taken over
     */
    Made make(Made before) {
        var made = new LinkedHashMap<String, Made.OfHost>();
        hosts.forEach((host, known) -> {
            var earlier = before.of(host);
            var metadata = metadata(host, known.resource, earlier.metadata());
            var preflights = new LinkedHashMap<String, Made.Preflights>();
            known.preflights.forEach((place, preflight) -> preflights.put(
                    place, preflights(host, preflight, earlier.preflights().get(place))));
            var keys = signing ? signingKeys(host, earlier.signingKeys()) : null;
            made.put(host, new Made.OfHost(metadata, preflights, keys, unmatched(host, known, earlier.unmatched())));
        });
        return new Made(made);
    }

    private RouteTable.Entry signingKeys(String host, RouteTable.@Nullable Entry before) {
        return before != null
                ? before
                : new RouteTable.Entry(
                        local("sallyport:signing-keys", host, LocalAnswer.SigningKeySet.SIGNING_KEY_SET),
                        PathPattern.parse(SIGNING_KEYS_PATH),
                        READING);
    }

    private Made.Metadata metadata(String host, Resource resource, Made.@Nullable Metadata before) {
        if (before != null
                && before.accepted().equals(resource.accepted)
                && before.scopes().equals(resource.scopes)) {
            return before;
        }
        var entry =
                resource.accepted.stream().anyMatch(AcceptedTokens::takesTokens) ? metadataEntry(host, resource) : null;
        return new Made.Metadata(List.copyOf(resource.accepted), Set.copyOf(resource.scopes), entry);
    }

    private RouteTable.Entry metadataEntry(String host, Resource resource) {
        var answer = LocalAnswer.ProtectedResource.of(
                URI.create(origin(host)), AcceptedTokens.authorizationServers(resource.accepted), resource.scopes);
        return new RouteTable.Entry(
                local("sallyport:protected-resource", host, answer),
                PathPattern.parse(LocalForwarder.METADATA_PATH + "/**"),
                READING,
                ANY_PATH);
    }

    private Made.Preflights preflights(String host, Preflight preflight, Made.@Nullable Preflights before) {
        if (before != null && before.of().equals(preflight)) {
            return before;
        }
        var answer = LocalAnswer.Preflight.of(preflight.rules());
        var route = local("sallyport:preflight", host, answer);
        return new Made.Preflights(
                preflight,
                new RouteTable.Entry(route, preflight.path(), Set.of(HttpMethod.OPTIONS), preflight.paths()));
    }

    private Route local(String name, String host, LocalAnswer answer) {
        var route = Route.builder(name, host, Route.Kind.LOCAL).makePublic().settings(StageName.FORWARD, answer);
        modes.applyTo(route);
        return route.build();
    }

    private Made.Unmatched unmatched(String host, Host known, Made.Unmatched before) {
        var accepted = List.copyOf(known.resource.accepted);
        if (before.route() != null && before.accepted().equals(accepted)) {
            return before;
        }
        var route = Route.builder("sallyport:unmatched", host, Route.Kind.UNMATCHED);
        modes.applyTo(route);
        if (accepted.isEmpty()) {
            route.makePublic();
        } else {
            route.settings(StageName.AUTHENTICATE, AcceptedTokens.unmatched(accepted, metadata(host), host))
                    .resource(ProtectedResource.of(host, metadata(host), List.of()));
        }
        return new Made.Unmatched(accepted, route.build());
    }
}
