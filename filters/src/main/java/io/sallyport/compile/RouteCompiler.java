// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.authenticate.AcceptedTokens;
import io.sallyport.authenticate.RouteAuthentication;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authorize.RouteAuthorization;
import io.sallyport.config.Findings;
import io.sallyport.edge.BodyLimit;
import io.sallyport.edge.MatchConfig;
import io.sallyport.edge.RouteTable;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.StreamLimit;
import io.sallyport.forward.upstream.UpstreamConfig;
import io.sallyport.forward.upstream.UpstreamProtocol;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.gateway.FilterDefinitions;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.route.UpstreamCapacity;
import io.sallyport.wire.answer.CorsRules;
import io.sallyport.wire.answer.WebSocketConfig;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/** Compiles the routes of one file: one {@link Route} for each host of each section, and the built-in ones. Used once. */
final class RouteCompiler {
    private final GatewaySettings settings;
    private final Map<String, Issuer> issuers;
    private final StageModules modules;
    private final Findings findings;
    private final StageModes modes;
    private final BuiltInRoutes builtIn;
    private final UpstreamCapacities capacities = new UpstreamCapacities();
    // What routes with the same upstream were read to is one object, and so is what it is compiled to.
    private final IdentityHashMap<UpstreamConfig, UpstreamTarget> targets = new IdentityHashMap<>();
    private final List<RouteTable.Entry> entries = new ArrayList<>();
    private final List<Route> routes = new ArrayList<>();
    private BuiltInRoutes.Made madeBuiltIn = BuiltInRoutes.Made.NONE;
    private final CompiledRoutes before;
    private final IdentityHashMap<RouteSection, CompiledRoute> bySection;

    /**
     * Compiles nothing yet.
     *
     * @param issuers those that are right
     * @param before routes compiled with the same issuers, under settings that differ in their routes at most
     */
    RouteCompiler(
            GatewaySettings settings,
            Map<String, Issuer> issuers,
            StageModules modules,
            CompiledRoutes before,
            Findings findings) {
        this.settings = settings;
        this.issuers = issuers;
        this.modules = modules;
        this.before = before;
        this.bySection = new IdentityHashMap<>(settings.routes().size());
        this.findings = findings;
        this.modes = StageModes.compile(settings.stages(), findings.at("sallyport.stages"));
        this.builtIn = new BuiltInRoutes(settings.listener(), modes);
    }

    /** Compiles all routes, or adds findings and returns null. */
    @Nullable
    RouteTable compile() {
        var at = findings.at("sallyport.routes");
        settings.routes().forEach((name, section) -> {
            var known = before.of(name, section);
            if (known != null) {
                takeOver(section, known, at.child(name));
            } else {
                compile(name, section, at.child(name));
            }
        });
        if (!findings.isEmpty()) {
            RouteTable.requireDistinct(places(), at);
            return null;
        }
        // Built-in ones first: it is the operator's route that is at fault if it takes what one of these needs.
        madeBuiltIn = builtIn.make(before.builtIn());
        entries.addAll(0, madeBuiltIn.entries());
        entries.forEach(entry -> routes.add(entry.route()));
        var unmatched = madeBuiltIn.unmatched();
        routes.addAll(unmatched);
        return RouteTable.compile(entries, unmatched, before.table(), at);
    }

    /** What the routes take whose sections could be read, though nothing is compiled of them; built-in ones first. */
    private List<RouteTable.Entry> places() {
        var builtInPlaces = new LinkedHashMap<String, RouteTable.Entry>();
        var places = new ArrayList<RouteTable.Entry>();
        settings.routes().forEach((name, section) -> {
            var match = section.match();
            if (match == null) {
                return;
            }
            boolean isPublic =
                    section.authorize() != null && section.authorize().isPublic();
            for (var host : match.hosts()) {
                BuiltInRoutes.place(host.value(), match.path(), isPublic, section.cors() != null, builtInPlaces);
                var route =
                        Route.builder(name, host.value(), Route.Kind.UPSTREAM).build();
                places.add(new RouteTable.Entry(route, match.path(), match.methodSet()));
            }
        });
        places.addAll(0, builtInPlaces.values());
        return places;
    }

    /** Every route, after {@link #compile}. */
    List<Route> routes() {
        return routes;
    }

    /** What the next configuration can take over of them, after {@link #compile}. */
    CompiledRoutes compiled(RouteTable table) {
        return new CompiledRoutes(bySection, madeBuiltIn, table);
    }

    private void takeOver(RouteSection section, CompiledRoute route, Findings.Place at) {
        capacities.agree(route.name(), route.capacity(), at.child("upstream"));
        keep(section, route);
    }

    private void keep(RouteSection section, CompiledRoute route) {
        bySection.put(section, route);
        for (var each : route.hosts()) {
            var entry = each.entry();
            builtIn.add(entry.route().host(), entry.path(), each.accepted(), route.scopes(), route.cors());
            entries.add(entry);
        }
    }

    /** What of a route is the same on each of its hosts. */
    private record Compiled(
            boolean isPublic,
            Map<StageName, Object> ofStages,
            @Nullable CorsRules cors,
            @Nullable ForwardPlan plan,
            List<String> scopes,
            DataSize maxBody,
            @Nullable UpstreamCapacity capacity) {}

    private void compile(String name, RouteSection section, Findings.Place at) {
        var match = section.match();
        var authorize = section.authorize();
        var upstream = section.upstream();
        modes.check(section, at);
        boolean isPublic = authorize != null && authorize.isPublic();
        if (authorize != null) {
            checkAuthentication(section, isPublic, at);
        }
        var upstreamAt = at.child("upstream");
        var target = upstream == null ? null : target(upstream, upstreamAt);
        checkIdentity(name, target);
        var cors = section.cors() == null || match == null
                ? null
                : CorsRules.compile(section.cors(), match.methodSet(), at.child("cors"));
        // Without a path to take them from, every variable that a filter or a rule reads would be an unknown one.
        var filters = match == null
                ? null
                : FilterDefinitions.compile(section.filters(), variables(match), at.child("filters"));
        var webSocket = section.websocket() == null || match == null
                ? null
                : WebSocketConfig.compile(section.websocket(), match.methodSet(), at.child("websocket"));
        if (section.websocket() != null && target != null && target.protocol() == UpstreamProtocol.H2) {
            at.child("websocket")
                    .reject(
                            "(a section)",
                            "nothing, because upstream.protocol is h2, and a WebSocket is asked for in HTTP/1.1");
        }
        var compiled = new Compiled(
                isPublic,
                modules.compile(name, section, match == null ? null : variables(match), at),
                cors,
                target == null || filters == null || upstream == null
                        ? null
                        : new ForwardPlan(target, filters, cors, streamLimit(upstream), webSocket),
                authorize == null ? List.of() : authorize.scopes(),
                section.maxBody() == null ? settings.stages().edge().maxBody() : section.maxBody(),
                upstream == null || target == null
                        ? null
                        : capacities.agree(name, UpstreamCapacities.of(upstream, target), upstreamAt));
        if (section.authenticate() != null) {
            checkIssuers(section.authenticate(), at.child("authenticate"));
            checkTenants(section.authenticate(), authorize, at);
            checkCertificates(section.authenticate(), authorize, at);
        }
        if (match == null) {
            return;
        }
        var hosts = new ArrayList<CompiledRoute.OnHost>();
        for (var host : match.hosts()) {
            var onHost = onHost(name, host.value(), section, match, compiled, at);
            if (onHost != null) {
                hosts.add(onHost);
            }
        }
        if (findings.isEmpty()) {
            var capacity = Objects.requireNonNull(compiled.capacity(), "capacity");
            keep(section, new CompiledRoute(name, capacity, compiled.scopes(), compiled.cors(), hosts));
        }
    }

    private @Nullable UpstreamTarget target(UpstreamConfig upstream, Findings.Place at) {
        var known = targets.get(upstream);
        if (known != null) {
            return known;
        }
        var target = UpstreamTarget.compile(upstream, at);
        if (target != null) {
            targets.put(upstream, target);
        }
        return target;
    }

    private StreamLimit streamLimit(UpstreamConfig upstream) {
        return new StreamLimit(
                upstream.maxStream(), settings.stages().authenticate().clockSkew());
    }

    private static Set<String> variables(MatchConfig match) {
        return Set.copyOf(match.path().variableNames());
    }

    private static void checkAuthentication(RouteSection section, boolean isPublic, Findings.Place at) {
        var place = at.child("authenticate");
        if (isPublic && section.authenticate() != null) {
            place.reject("(a section)", "nothing, because authorize is public");
        }
        if (!isPublic && section.authenticate() == null && !at.findings().concern(place.path())) {
            place.reject(null, "issuers whose tokens are accepted, or client-spiffe-ids, or else authorize: public");
        }
    }

    private void checkIssuers(RouteAuthentication authenticate, Findings.Place at) {
        for (int i = 0; i < authenticate.issuers().size(); i++) {
            SnapshotCompiler.checkIssuer(
                    authenticate.issuers().get(i),
                    issuers.keySet(),
                    at.child("issuers").element(i));
        }
    }

    /** Who admits every tenant of an issuer has to say in a rule which of them may do what. */
    private void checkTenants(
            RouteAuthentication authenticate, @Nullable RouteAuthorization authorize, Findings.Place at) {
        for (var name : authenticate.issuers()) {
            var config = settings.issuers().get(name);
            if (config == null || !config.insecureAnyTenant() || authorize == null) {
                continue;
            }
            var claim = Pattern.quote(config.requireTenantClaim());
            var reads = Pattern.compile("token\\.claims(?:\\.%1$s\\b|\\[['\"]%1$s['\"]\\])".formatted(claim));
            if (Stream.concat(authorize.allow().values().stream(), authorize.deny().values().stream())
                    .noneMatch(rule -> reads.matcher(rule).find())) {
                at.child("authorize")
                        .reject(
                                "(rules)",
                                "a rule that reads token.claims.%s, because issuer %s admits every tenant"
                                        .formatted(config.requireTenantClaim(), name));
            }
        }
    }

    private void checkCertificates(
            RouteAuthentication authenticate, @Nullable RouteAuthorization authorize, Findings.Place at) {
        var ids = authenticate.clientSpiffeIds();
        if (!ids.isEmpty() && settings.listener() != null && !settings.asksForCertificates()) {
            at.child("authenticate")
                    .child("client-spiffe-ids")
                    .reject(
                            ids,
                            "nothing, because no client is asked for one: there is no internal-listener, and"
                                    + " listener.tls.client-certificates is none");
        }
        if (authenticate.issuers().isEmpty()
                && authorize != null
                && !authorize.scopes().isEmpty()) {
            at.child("authorize")
                    .child("scopes")
                    .reject(
                            authorize.scopes(),
                            "nothing, because no issuer's tokens are accepted, and only they have any");
        }
    }

    private void checkIdentity(String route, @Nullable UpstreamTarget target) {
        var path = "sallyport.identity";
        if (target != null
                && target.peer().proof().needsIdentity()
                && settings.identity() == null
                && !findings.concern(path)) {
            findings.at(path).reject(null, "an identity to prove to the upstream of route " + route);
        }
    }

    /** Returns null if there are findings, of this route or of another. */
    private CompiledRoute.@Nullable OnHost onHost(
            String name, String host, RouteSection section, MatchConfig match, Compiled compiled, Findings.Place at) {
        var authenticate = section.authenticate();
        boolean issuersKnown = authenticate != null && issuers.keySet().containsAll(authenticate.issuers());
        var accepted = authenticate == null || !issuersKnown
                ? null
                : AcceptedTokens.compile(
                        authenticate,
                        issuers,
                        builtIn.metadata(host, match.path().literalPrefix()),
                        host,
                        at.child("authenticate"));
        if (!findings.isEmpty()) {
            return null;
        }
        var route = Route.builder(name, host, Route.Kind.UPSTREAM);
        modes.applyTo(route, section);
        route.settings(StageName.EDGE, BodyLimit.of(compiled.maxBody()));
        if (compiled.isPublic()) {
            route.makePublic();
        } else {
            route.settings(StageName.AUTHENTICATE, Objects.requireNonNull(accepted, "accepted tokens"));
        }
        route.settings(StageName.FORWARD, Objects.requireNonNull(compiled.plan(), "forward plan"));
        compiled.ofStages().forEach(route::settings);
        if (compiled.capacity() != null && compiled.capacity().limits()) {
            route.settings(StageName.ROUTE, compiled.capacity());
        }
        return new CompiledRoute.OnHost(new RouteTable.Entry(route.build(), match.path(), match.methodSet()), accepted);
    }
}
