// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.authenticate.AcceptedTokens;
import io.sallyport.authenticate.OpenCredentials;
import io.sallyport.authenticate.RouteAuthentication;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authorize.RouteAuthorization;
import io.sallyport.authorize.cel.CelRules;
import io.sallyport.authorize.cel.CelValue;
import io.sallyport.authorize.cel.Reads;
import io.sallyport.config.Findings;
import io.sallyport.decision.ProtectedResource;
import io.sallyport.edge.BodyLimit;
import io.sallyport.edge.MatchConfig;
import io.sallyport.edge.PathRules;
import io.sallyport.edge.RouteTable;
import io.sallyport.forward.AnswerRewrite;
import io.sallyport.forward.Disclosure;
import io.sallyport.forward.ForwardPlan;
import io.sallyport.forward.StreamLimit;
import io.sallyport.forward.identity.AssertionConfig;
import io.sallyport.forward.identity.CallerTokens;
import io.sallyport.forward.identity.Expression;
import io.sallyport.forward.identity.IdentityFields;
import io.sallyport.forward.identity.UpstreamIdentityConfig;
import io.sallyport.forward.upstream.UpstreamConfig;
import io.sallyport.forward.upstream.UpstreamProtocol;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.gateway.FilterDefinitions;
import io.sallyport.identity.FoldedName;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.StageName;
import io.sallyport.route.UpstreamCapacity;
import io.sallyport.wire.answer.CorsRules;
import io.sallyport.wire.answer.LocalForwarder;
import io.sallyport.wire.answer.WebSocketConfig;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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
    private final Set<String> identityNames;
    private final IdentityHeaders removed;
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
        this.identityNames = identityNames(settings);
        var names = new ArrayList<>(settings.stages().edge().identityHeaders());
        names.addAll(identityNames);
        this.removed = IdentityHeaders.with(names);
        // What a filter and a rule may name depends on what other routes write.
        this.before = before.ifRemoving(identityNames);
        this.bySection = new IdentityHashMap<>(settings.routes().size());
        this.findings = findings;
        this.modes = StageModes.compile(settings.stages(), findings.at("sallyport.stages"));
        this.builtIn = new BuiltInRoutes(settings.listener(), settings.signing() != null, modes);
    }

    /** Each name that some route tells its upstream of the caller by. */
    private static Set<String> identityNames(GatewaySettings settings) {
        var names = new LinkedHashSet<String>();
        for (var section : settings.routes().values()) {
            if (section.upstream() != null && section.upstream().identity() != null) {
                for (var name : section.upstream().identity().headers().keySet()) {
                    // Any other one is a finding of its route.
                    if (IdentityFields.mayBeWritten(name)) {
                        names.add(FoldedName.of(name));
                    }
                }
            }
        }
        return names;
    }

    /** The headers that are removed from every request, whatever its route. */
    IdentityHeaders removed() {
        return removed;
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
        checkMetadata(at);
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

    /** No route takes a part of a host's metadata (RFC 9728), which would no longer answer every path alike. */
    private void checkMetadata(Findings.Place at) {
        var withMetadata = settings.routes().values().stream()
                .filter(section -> !isPublic(section))
                .map(RouteSection::match)
                .filter(Objects::nonNull)
                .flatMap(match -> match.hosts().stream())
                .collect(Collectors.toSet());
        settings.routes().forEach((name, section) -> {
            var match = section.match();
            if (match != null
                    && LocalForwarder.isMetadata(match.path().toString())
                    && match.hosts().stream().anyMatch(withMetadata::contains)) {
                at.child(name)
                        .child("match")
                        .reject(match.path(), "another path: the gateway answers it with the metadata of its host");
            }
        });
    }

    private static boolean isPublic(RouteSection section) {
        return section.authorize() != null && section.authorize().isPublic();
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
            for (var host : match.hosts()) {
                builtIn.place(host.value(), match.path(), section.cors() != null, builtInPlaces);
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
        return new CompiledRoutes(bySection, identityNames, madeBuiltIn, table);
    }

    private void takeOver(RouteSection section, CompiledRoute route, Findings.Place at) {
        capacities.agree(route.name(), route.capacity(), at.child("upstream"));
        keep(section, route);
    }

    private void keep(RouteSection section, CompiledRoute route) {
        bySection.put(section, route);
        for (var each : route.hosts()) {
            var entry = each.entry();
            builtIn.add(
                    entry.route().host(), entry.path(), each.accepted(), route.scopes(), route.cors(), route.paths());
            entries.add(entry);
        }
    }

    /** What of a route is the same on each of its hosts. */
    private record Compiled(
            boolean isPublic,
            Map<StageName, Object> ofStages,
            @Nullable CorsRules cors,
            IdentityHeaders removed,
            @Nullable OpenCredentials openCredentials,
            @Nullable Function<String, ForwardPlan> plan,
            List<String> scopes,
            DataSize maxBody,
            @Nullable UpstreamCapacity capacity) {}

    private void compile(String name, RouteSection section, Findings.Place at) {
        var match = section.match();
        var authorize = section.authorize();
        var upstream = section.upstream();
        modes.check(section, at);
        if (match != null) {
            checkHealthPath(match, at.child("match"));
        }
        checkOverrides(section, at);
        boolean isPublic = isPublic(section);
        if (authorize != null) {
            checkAuthentication(section, isPublic, at);
        }
        var upstreamAt = at.child("upstream");
        var target = upstream == null ? null : target(upstream, upstreamAt);
        checkIdentity(name, target);
        var cors = section.cors() == null || match == null
                ? null
                : CorsRules.compile(section.cors(), match.methodSet(), at.child("cors"));
        var paths = paths(section, at.child("paths"));
        // Without a path to take them from, every variable that a filter or a rule reads would be an unknown one.
        var removedHere = removed.except(accepted(section, at.child("accept-client-header")));
        var filters = match == null
                ? null
                : FilterDefinitions.compile(
                        section.filters(), variables(match), paths, removedHere, at.child("filters"));
        var identity = upstream == null || upstream.identity() == null || match == null
                ? null
                : identity(upstream.identity(), section, variables(match), removedHere, upstreamAt.child("identity"));
        var tokens = upstream == null || upstream.identity() == null || target == null
                ? null
                : tokens(name, upstream.identity(), section, target, upstreamAt.child("identity"));
        if (authorize != null && !isPublic && match != null) {
            checkRules(
                    authorize.allow(),
                    variables(match),
                    removedHere,
                    at.child("authorize").child("allow"));
            checkRules(
                    authorize.deny(),
                    variables(match),
                    removedHere,
                    at.child("authorize").child("deny"));
        }
        var open = upstream == null || authorize == null ? null : openCredentials(upstream, isPublic, upstreamAt);
        var rewrite = rewrite(section, at.child("rewrite"));
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
                removedHere,
                open,
                target == null || filters == null || upstream == null || match == null
                        ? null
                        : host -> new ForwardPlan(
                                target,
                                filters,
                                cors,
                                streamLimit(upstream),
                                webSocket,
                                rewrite,
                                new Disclosure(
                                        removedHere,
                                        forwardedHost(host),
                                        match.path().literalPrefix(),
                                        identity,
                                        tokens,
                                        open != null)),
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
            var onHost = onHost(name, host.value(), section, match, paths, compiled, at);
            if (onHost != null) {
                hosts.add(onHost);
            }
        }
        if (findings.isEmpty()) {
            var capacity = Objects.requireNonNull(compiled.capacity(), "capacity");
            keep(section, new CompiledRoute(name, capacity, compiled.scopes(), compiled.cors(), paths, hosts));
        }
    }

    private String forwardedHost(String host) {
        return settings.listener() == null ? host : host + settings.listener().portSuffix();
    }

    /** The names that the route lets clients send, but for those that are wrong. */
    private List<String> accepted(RouteSection section, Findings.Place at) {
        var accepted = new ArrayList<String>();
        var upstream = section.upstream();
        for (int i = 0; i < section.acceptClientHeader().size(); i++) {
            var name = section.acceptClientHeader().get(i);
            if (!IdentityFields.mayBeWritten(name)) {
                at.element(i).reject(name, "the name of a header that is not the gateway's own, as X-Forwarded-For is");
            } else if (!removed.contains(name)) {
                at.element(i).reject(name, "a header that would be removed: this one passes without it");
            } else if (upstream != null
                    && upstream.identity() != null
                    && upstream.identity().headers().keySet().stream()
                            .anyMatch(written -> FoldedName.isSame(FoldedName.of(written), name))) {
                at.element(i).reject(name, "a header that upstream.identity of this route does not write");
            } else {
                accepted.add(name);
            }
        }
        return accepted;
    }

    private @Nullable IdentityFields identity(
            UpstreamIdentityConfig identity,
            RouteSection section,
            Set<String> variables,
            IdentityHeaders removedHere,
            Findings.Place at) {
        var tokens = section.authenticate() != null
                && !section.authenticate().issuers().isEmpty();
        if (identity.headers().isEmpty() && identity.assertion() == null && identity.txnToken() == null) {
            at.reject("(a section)", "headers, assertion or txn-token in it, or no section identity");
        }
        return IdentityFields.compile(
                identity.headers(),
                (text, place) -> expression(text, variables, tokens, removedHere, place),
                at.child("headers"));
    }

    private @Nullable CallerTokens tokens(
            String route,
            UpstreamIdentityConfig identity,
            RouteSection section,
            UpstreamTarget target,
            Findings.Place at) {
        var assertion = identity.assertion();
        var txnToken = identity.txnToken();
        if (assertion == null && txnToken == null) {
            return null;
        }
        var authorize = section.authorize();
        if (isPublic(section)) {
            at.child(assertion == null ? "txn-token" : "assertion")
                    .reject("(a section)", "nothing, because authorize is public: there is no caller to speak of");
        }
        if (settings.signing() == null && !findings.concern("sallyport.signing")) {
            findings.at("sallyport.signing")
                    .reject(null, "keys to sign what the upstream of route %s is told".formatted(route));
        }
        if (txnToken != null && settings.identity() == null && !findings.concern("sallyport.identity")) {
            findings.at("sallyport.identity")
                    .reject(null, "an identity whose trust domain the txn-token of route %s is for".formatted(route));
        }
        var audience = assertion == null ? List.<String>of() : audience(assertion, target, at.child("assertion"));
        return new CallerTokens(audience, assertion, txnToken, authorize == null ? List.of() : authorize.scopes());
    }

    private static List<String> audience(AssertionConfig assertion, UpstreamTarget target, Findings.Place at) {
        if (assertion.audience() != null) {
            return List.of(assertion.audience());
        }
        var proven = target.peer().proof().text();
        if (proven.isEmpty() || proven.indexOf('*') >= 0) {
            at.child("audience").reject(null, "a name for aud, because the upstream's identity is not one exact name");
            return List.of();
        }
        return List.of(proven.split(",", -1));
    }

    /** @param tokens whether callers of the route have any */
    private static @Nullable Expression expression(
            String text, Set<String> variables, boolean tokens, IdentityHeaders removedHere, Findings.Place at) {
        var value = CelValue.compile(text, variables, at);
        if (value == null) {
            return null;
        }
        if (!tokens && value.reads().variables().contains("token")) {
            at.reject(text, "nothing of token, because callers of this route show none");
        }
        checkHeaders(text, value.reads(), removedHere, at);
        return context -> switch (value.of(context)) {
            case CelValue.Result.Known(var known) -> known;
            case CelValue.Result.Missing _ -> null;
            case CelValue.Result.Fault(var kind) -> throw new Expression.Undetermined(kind);
        };
    }

    private static void checkRules(
            Map<String, String> rules, Set<String> variables, IdentityHeaders removedHere, Findings.Place at) {
        rules.forEach(
                (name, rule) -> checkHeaders(rule, CelRules.readsOf(rule, variables), removedHere, at.child(name)));
    }

    private static void checkHeaders(String expression, Reads reads, IdentityHeaders removedHere, Findings.Place at) {
        for (var header : reads.headers()) {
            if (removedHere.contains(header)) {
                at.reject(
                        expression,
                        "another header than %s, which is removed from requests unless accept-client-header lists it"
                                .formatted(header));
            }
        }
    }

    /** What a public route leaves to its upstream; null for nothing. */
    private @Nullable OpenCredentials openCredentials(UpstreamConfig upstream, boolean isPublic, Findings.Place at) {
        if (isPublic && upstream.forwardToken()) {
            at.child("forward-token")
                    .reject(true, "nothing, because authorize is public; see upstream.forward-credentials");
        }
        var credentials = upstream.forwardCredentials();
        if (credentials == null) {
            return null;
        }
        if (!isPublic) {
            at.child("forward-credentials")
                    .reject("(a section)", "nothing, because authorize is not public; see upstream.forward-token");
            return null;
        }
        return new OpenCredentials(credentials.authorization(), credentials.cookies(), issuers.values());
    }

    /** It goes before every route, as a literal path goes before a pattern. */
    private void checkHealthPath(MatchConfig match, Findings.Place at) {
        var healthPath =
                settings.listener() == null ? null : settings.listener().healthPath();
        if (match.path().toString().equals(healthPath)
                && (match.methods().contains("GET") || match.methods().contains("HEAD"))) {
            at.child("path")
                    .reject(healthPath, "another path: listener.health-path is answered by the gateway on every host");
        }
    }

    private @Nullable AnswerRewrite rewrite(RouteSection section, Findings.Place at) {
        var listener = settings.listener();
        return section.rewrite() == null || listener == null
                ? null
                : AnswerRewrite.compile(section.rewrite(), listener.scheme(), listener.portSuffix(), at);
    }

    private static PathRules paths(RouteSection section, Findings.Place at) {
        var paths = section.paths();
        if (paths == null) {
            return PathRules.STRICT;
        }
        var match = section.match();
        if (!paths.passesEncodedSlashes() && !paths.passesParameters()) {
            at.reject("(a section)", "nothing, because refuse is what holds without it");
        }
        if (paths.passesEncodedSlashes() && match != null && variables(match).isEmpty()) {
            at.child("encoded-slash").reject("pass", "refuse, because match.path has no {name} for it to be in");
        }
        return paths;
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

    /** A mode of a stage that does nothing on the route would change nothing. */
    private static void checkOverrides(RouteSection section, Findings.Place route) {
        var at = route.child("stages");
        if (section.risk() == null
                && !route.findings().concern(route.child("risk").path())) {
            rejectOverride(StageName.RISK, section, "the route has no section risk", at);
        }
        if (section.rateLimits().isEmpty()
                && !route.findings().concern(route.child("rate-limits").path())) {
            rejectOverride(StageName.RATELIMIT, section, "the route has no rate-limits", at);
        }
        if (isPublic(section)) {
            for (var stage : new StageName[] {StageName.AUTHENTICATE, StageName.REVOCATION, StageName.AUTHORIZE}) {
                rejectOverride(stage, section, "authorize is public", at);
            }
        }
    }

    private static void rejectOverride(StageName stage, RouteSection section, String because, Findings.Place at) {
        var place = at.child(stage.code());
        if (section.stages().containsKey(stage.code()) && !at.findings().concern(place.path())) {
            place.reject("(a section)", "nothing, because " + because);
        }
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
            String name,
            String host,
            RouteSection section,
            MatchConfig match,
            PathRules paths,
            Compiled compiled,
            Findings.Place at) {
        var authenticate = section.authenticate();
        boolean issuersKnown = authenticate != null && issuers.keySet().containsAll(authenticate.issuers());
        var accepted = authenticate == null || !issuersKnown
                ? null
                : AcceptedTokens.compile(authenticate, issuers, builtIn.metadata(host), host, at.child("authenticate"));
        if (!findings.isEmpty()) {
            return null;
        }
        var route = Route.builder(name, host, Route.Kind.UPSTREAM);
        modes.applyTo(route, section);
        route.settings(StageName.EDGE, BodyLimit.of(compiled.maxBody()));
        if (compiled.isPublic()) {
            route.makePublic();
        } else {
            route.settings(StageName.AUTHENTICATE, Objects.requireNonNull(accepted, "accepted tokens"))
                    .resource(ProtectedResource.of(host, builtIn.metadata(host), compiled.scopes()));
        }
        route.settings(
                StageName.FORWARD,
                Objects.requireNonNull(compiled.plan(), "forward plan").apply(host));
        route.removing(compiled.removed());
        if (compiled.openCredentials() != null) {
            route.settings(StageName.AUTHENTICATE, compiled.openCredentials());
        }
        compiled.ofStages().forEach(route::settings);
        if (compiled.capacity() != null && compiled.capacity().limits()) {
            route.settings(StageName.ROUTE, compiled.capacity());
        }
        return new CompiledRoute.OnHost(
                new RouteTable.Entry(route.build(), match.path(), match.methodSet(), paths), accepted);
    }
}
