// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.authenticate.AcceptedTokens;
import io.sallyport.authenticate.AuthenticateConfig;
import io.sallyport.authenticate.RouteAuthentication;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.issuer.JwkSetSourceFactory;
import io.sallyport.authenticate.issuer.OpaqueTokenSourceFactory;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.NoKeys;
import io.sallyport.authenticate.token.OpaqueTokenSource;
import io.sallyport.authenticate.token.TokenDigest;
import io.sallyport.config.Findings;
import io.sallyport.config.NearestName;
import io.sallyport.edge.EdgeSettings;
import io.sallyport.edge.HeadLimits;
import io.sallyport.edge.PathPattern;
import io.sallyport.edge.RouteTable;
import io.sallyport.forward.identity.SigningKeys;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.management.ManagementTokens;
import io.sallyport.pipeline.Route;
import io.sallyport.pipeline.Snapshot;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.listener.ListenerConfig;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * Compiles a configuration to a {@link Snapshot}: has every package compile its own sections, and checks what none of them can see
 * alone. Adds all findings that there are, and does no network I/O.
 */
public final class SnapshotCompiler {
    private static final Pattern NAME = Pattern.compile("[a-z0-9-]{1,64}");
    private static final String A_NAME = "1 to 64 of a-z, 0-9 and dash";

    private final JwkSetSourceFactory keySets;
    private final OpaqueTokenSourceFactory introspections;
    private final CryptoProvider crypto;
    private final StageModules modules;

    /**
     * @param keySets where issuers' keys come from
     * @param introspections asked about opaque tokens
     * @param modules compile the sections of their stages
     */
    public SnapshotCompiler(
            JwkSetSourceFactory keySets,
            OpaqueTokenSourceFactory introspections,
            CryptoProvider crypto,
            StageModules modules) {
        this.keySets = keySets;
        this.introspections = introspections;
        this.crypto = crypto;
        this.modules = modules;
    }

    /** One whose snapshots judge nothing: they have no keys. */
    public static SnapshotCompiler forChecking() {
        return new SnapshotCompiler(
                (_, _, _) -> NoKeys.NO_KEYS,
                (_, _, _) -> NoAnswers.NO_ANSWERS,
                CryptoProvider.jdk(),
                StageModules.forChecking());
    }

    private enum NoAnswers implements OpaqueTokenSource {
        NO_ANSWERS;

        @Override
        public @Nullable Introspected known(TokenDigest digest, Instant now) {
            return Introspected.Word.UNAVAILABLE;
        }

        @Override
        public Mono<Introspected> ask(TokenDigest digest, String token) {
            return Mono.just(Introspected.Word.UNAVAILABLE);
        }
    }

    /**
     * Compiles everything.
     *
     * @throws InvalidConfiguration with everything that is wrong
     */
    public CompiledConfiguration compile(Configuration configuration) {
        var findings = new Findings();
        var compiled = compile(configuration, findings);
        if (compiled == null) {
            throw new InvalidConfiguration(configuration.source(), findings.all());
        }
        return compiled;
    }

    /**
     * Compiles everything, and adds findings to those that there are.
     *
     * @return null if there are any
     */
    @Nullable
    CompiledConfiguration compile(Configuration configuration, Findings findings) {
        return compile(configuration, null, Runnable::run, findings);
    }

    /**
     * Compiles the successor of what is in force. A route is taken over as it is compiled if its section, all that is not a
     * route, and what the issuers' tokens are verified by are what they were: nothing else is looked at to compile it.
     *
     * @param background compiles what takes time; never what may fetch keys
     * @return null if there are findings
     */
    @Nullable
    CompiledConfiguration compileNext(
            Configuration configuration, CompiledConfiguration inForce, Executor background, Findings findings) {
        // No key set is to be followed for an issuer in a file that is wrong, so that other issuers are tried out
        // first.
        boolean onlyRoutes = configuration.settings().isSameButForRoutes(inForce.settings());
        return onlyRoutes
                        || BackgroundExecutor.compute(
                                        background, () -> forChecking().compile(configuration, findings))
                                != null
                ? compile(configuration, onlyRoutes ? inForce : null, background, findings)
                : null;
    }

    /** @param before differs in its routes at most; null if there is none such */
    private @Nullable CompiledConfiguration compile(
            Configuration configuration,
            @Nullable CompiledConfiguration before,
            Executor background,
            Findings findings) {
        var settings = configuration.settings();
        var at = findings.at("sallyport");
        checkPorts(settings, at);
        checkClientCertificates(settings, at);
        checkTrustDomains(settings, at);
        checkSigning(settings, at.child("signing"));
        checkTokenSize(settings, at);
        checkNames(settings.issuers().keySet(), at.child("issuers"));
        checkNames(settings.routes().keySet(), at.child("routes"));
        if (settings.routes().isEmpty() && !findings.concern("sallyport.routes")) {
            at.child("routes").reject("{}", "at least one route");
        }
        var compiledIssuers = Issuer.compile(settings.issuers(), keySets, introspections, crypto, at.child("issuers"));
        // Not by the settings alone: a file that they name may have another content by now.
        boolean sameIssuers = before != null && Issuer.areSame(compiledIssuers, before.issuers());
        var issuers = before != null && sameIssuers ? before.issuers() : compiledIssuers;
        var management = management(settings, issuers, at.child("management"));
        var known = before != null && sameIssuers ? before.routes() : CompiledRoutes.NONE;
        var routes = new RouteCompiler(settings, issuers, modules, known, findings);
        var table = BackgroundExecutor.compute(background, routes::compile);
        if (table == null || !findings.isEmpty()) {
            return null;
        }
        var snapshot = new Snapshot(
                configuration.revision(),
                routes.routes(),
                gatewayWide(settings, settings.requireListener(), table, routes.removed()));
        return new CompiledConfiguration(configuration, snapshot, issuers, management, routes.compiled(table));
    }

    /** What the management port accepts: tokens as its issuer makes them, but for an audience of its own. */
    private @Nullable Snapshot management(GatewaySettings settings, Map<String, Issuer> issuers, Findings.Place at) {
        var name = settings.management().issuer();
        var audience = settings.management().audience();
        if (name == null || audience == null) {
            return null;
        }
        checkIssuer(name, issuers.keySet(), at.child("issuer"));
        var issuer = issuers.get(name);
        var config = settings.issuers().get(name);
        if (issuer == null || config == null) {
            return null;
        }
        if (config.trustDomain() != null) {
            at.child("issuer").reject(name, "an issuer of access tokens: workloads have no scopes");
            return null;
        }
        if (config.hasTenants()) {
            at.child("issuer").reject(name, "an issuer without tenants");
            return null;
        }
        var forManagement = Issuer.compile(
                Map.of(name, config.withAudiences(List.of(audience))),
                (_, _, _) -> issuer.keys(),
                (_, _, _) -> issuer.opaqueTokens(),
                crypto,
                at);
        var accepted = AcceptedTokens.compile(
                new RouteAuthentication(List.of(name), List.of(), null, List.of(), false),
                forManagement,
                URI.create("urn:sallyport:management"),
                "management",
                at);
        var listener = settings.listener();
        if (accepted == null || listener == null) {
            return null;
        }
        var route = Route.builder("sallyport:management", ManagementTokens.HOST, Route.Kind.LOCAL)
                .settings(StageName.AUTHENTICATE, accepted)
                .build();
        var nothingElse = Route.builder("sallyport:unmatched", ManagementTokens.HOST, Route.Kind.UNMATCHED)
                .build();
        var entry = new RouteTable.Entry(route, PathPattern.parse("/"), Set.of(HttpMethod.GET));
        var table = RouteTable.compile(List.of(entry), List.of(nothingElse), at);
        return table == null
                ? null
                : new Snapshot(
                        "management",
                        List.of(route, nothingElse),
                        gatewayWide(settings, listener, table, IdentityHeaders.STANDARD));
    }

    private Map<StageName, Object> gatewayWide(
            GatewaySettings settings, ListenerConfig listener, RouteTable table, IdentityHeaders removed) {
        var stages = settings.stages();
        var headLimits = new HeadLimits(
                Math.toIntExact(listener.maxRequestLine().toBytes()),
                Math.toIntExact(listener.maxHeaders().toBytes()));
        var compiled = modules.compile(stages);
        compiled.put(
                StageName.EDGE,
                EdgeSettings.compile(stages.edge(), table, listener.forwardedForProxies(), headLimits, removed));
        return compiled;
    }

    private static void checkPorts(GatewaySettings settings, Findings.Place at) {
        var listener = settings.listener();
        int port = settings.management().port();
        if (port != 0 && listener != null && port == listener.port()) {
            at.child("management").child("port").reject(port, "another port than the listener's");
        }
        var internal = settings.internalListener();
        if (internal == null || internal.port() == 0) {
            return;
        }
        if (listener != null && internal.port() == listener.port()) {
            at.child("internal-listener").child("port").reject(internal.port(), "another port than the listener's");
        }
        if (internal.port() == port) {
            at.child("internal-listener").child("port").reject(port, "another port than management's");
        }
    }

    private static void checkClientCertificates(GatewaySettings settings, Findings.Place at) {
        if (settings.identity() != null || at.findings().concern("sallyport.identity")) {
            return;
        }
        var listener = settings.listener();
        if (settings.internalListener() != null) {
            at.child("identity").reject(null, "an identity to show on the internal-listener");
        } else if (listener != null && listener.asksForCertificates()) {
            at.child("identity")
                    .reject(null, "trust bundles to judge by what listener.tls.client-certificates asks for");
        } else if (settings.management().asksForSvids()) {
            at.child("identity").reject(null, "trust bundles to judge management.scrape.client-spiffe-ids by");
        }
    }

    /** A header block that is shorter than what is usual for a token has been written on purpose; a token that is longer has not. */
    private static void checkTokenSize(GatewaySettings settings, Findings.Place at) {
        var listener = settings.listener();
        var size = settings.stages().authenticate().maxTokenSize();
        if (listener != null
                && size.compareTo(listener.maxHeaders()) > 0
                && size.compareTo(AuthenticateConfig.USUAL_TOKEN_SIZE) != 0) {
            at.child("stages")
                    .child("authenticate")
                    .child("max-token-size")
                    .reject(size, "at most listener.max-headers: " + listener.maxHeaders());
        }
    }

    private static void checkTrustDomains(GatewaySettings settings, Findings.Place at) {
        var identity = settings.identity();
        settings.issuers().forEach((name, issuer) -> {
            if (issuer.trustDomain() != null && (identity == null || identity.workloadApi() == null)) {
                at.child("issuers")
                        .child(name)
                        .child("trust-domain")
                        .reject(
                                issuer.trustDomain(),
                                "nothing, because there is no identity.workload-api to have its keys from");
            }
        });
    }

    private static void checkSigning(GatewaySettings settings, Findings.Place at) {
        var signing = settings.signing();
        if (signing != null) {
            SigningKeys.check(signing, at);
            if (signing.issuer() == null && settings.identity() == null) {
                at.child("issuer")
                        .reject(null, "a name for iss, because there is no identity whose SPIFFE ID it could be");
            }
        }
    }

    private static void checkNames(Set<String> names, Findings.Place at) {
        var matcher = NAME.matcher("");
        for (var name : names) {
            if (!matcher.reset(name).matches()) {
                at.child(name).reject(name, "a name of " + A_NAME);
            }
        }
    }

    /** Adds a finding if there is no such issuer; one that is there but wrong has its findings already. */
    static void checkIssuer(String name, Set<String> issuers, Findings.Place at) {
        if (!issuers.contains(name) && !at.findings().concern("sallyport.issuers." + name)) {
            at.reject(name, "the name of an issuer: " + NearestName.expectation(name, issuers));
        }
    }
}
