// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.sallyport.authenticate.AuthenticateStage;
import io.sallyport.authenticate.introspection.Introspections;
import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.jwks.JwkSetRegistry;
import io.sallyport.authenticate.jwks.KeySetDirectory;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.spiffe.JwtBundles;
import io.sallyport.compile.BackgroundExecutor;
import io.sallyport.compile.CompiledConfiguration;
import io.sallyport.compile.Configuration;
import io.sallyport.compile.ConfigurationReloader;
import io.sallyport.compile.ConfigurationSource;
import io.sallyport.compile.InvalidConfiguration;
import io.sallyport.compile.IssuerLifecycle;
import io.sallyport.compile.SnapshotCompiler;
import io.sallyport.compile.SnapshotSource;
import io.sallyport.compile.StageModules;
import io.sallyport.decisionlog.DecisionLog;
import io.sallyport.edge.EdgeStage;
import io.sallyport.flood.ConnectionCounts;
import io.sallyport.forward.DirectForwarder;
import io.sallyport.forward.RemovedCors;
import io.sallyport.forward.UpstreamClient;
import io.sallyport.forward.identity.SigningKeys;
import io.sallyport.forward.identity.TokenIssuer;
import io.sallyport.forward.upstream.UpstreamConnections;
import io.sallyport.gateway.GatewayForwarder;
import io.sallyport.gateway.PermitRouteMapping;
import io.sallyport.gateway.PinnedRoutingFilter;
import io.sallyport.gateway.PinnedWebHandler;
import io.sallyport.ingress.Ingress;
import io.sallyport.ingress.IngressPipeline;
import io.sallyport.management.ConfigurationHealth;
import io.sallyport.management.DecisionLogHealth;
import io.sallyport.management.FileDescriptorHealth;
import io.sallyport.management.KeySetHealth;
import io.sallyport.management.ManagementConfig;
import io.sallyport.management.ManagementTls;
import io.sallyport.management.ManagementTokens;
import io.sallyport.management.ReadinessLog;
import io.sallyport.management.RemovedCorsHealth;
import io.sallyport.management.ScrapeAccess;
import io.sallyport.management.StagesHealth;
import io.sallyport.management.SvidHealth;
import io.sallyport.revocation.RevocationApi;
import io.sallyport.route.RouteStage;
import io.sallyport.route.UpstreamHealth;
import io.sallyport.telemetry.ClockJumps;
import io.sallyport.telemetry.DecisionMetrics;
import io.sallyport.telemetry.FileDescriptors;
import io.sallyport.wire.answer.LocalForwarder;
import io.sallyport.wire.exchange.IngressHandler;
import io.sallyport.wire.exchange.PermitForwarder;
import io.sallyport.wire.listener.ConnectionListener;
import io.sallyport.wire.listener.IngressServerCustomizer;
import io.sallyport.wire.shedding.LoadShedding;
import io.sallyport.wire.tls.RenewedTls;
import io.sallyport.workload.api.WorkloadApiSvidSource;
import io.sallyport.workload.files.FileSvidSource;
import io.sallyport.workload.svid.NoIdentity;
import io.sallyport.workload.svid.SvidLog;
import io.sallyport.workload.svid.SvidSource;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.registry.HealthContributorRegistry;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;
import org.springframework.http.client.ReactorResourceFactory;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.netty.resources.LoopResources;

/**
 * The gateway's beans. What they are made of is {@link Configuration}, which {@link SallyportInitializer} has read.
 */
@AutoConfiguration(beforeName = "org.springframework.cloud.gateway.config.GatewayAutoConfiguration")
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
public class SallyportAutoConfiguration {
    /**
     * What the grace did not see end breaks itself off a little later than the grace is over, for it hears of the stop a little later.
     * A server that stopped before would take its client for one that left.
     */
    private static final Duration BREAKING_OFF = Duration.ofSeconds(5);

    /** More than the longest time-out that a key set may have, discovery included. */
    private static final Duration LONGEST_FETCH = Duration.ofMinutes(1);

    @Bean
    @ConditionalOnMissingBean(Clock.class)
    Clock sallyportClock() {
        return Clock.systemUTC();
    }

    // configuration

    @Bean
    CryptoProvider cryptoProvider() {
        return CryptoProvider.detect();
    }

    /** Fetches and reads key sets, and what else is asked of issuers, off the event loops. */
    @Bean(destroyMethod = "dispose")
    Scheduler jwksScheduler() {
        return Schedulers.newBoundedElastic(4, 1_000, "sallyport-jwks", 60, true);
    }

    @Bean
    JwkSetRegistry jwkSetRegistry(
            Configuration configuration,
            CryptoProvider crypto,
            Scheduler jwksScheduler,
            Clock clock,
            MeterRegistry meters) {
        var path = configuration.settings().stages().authenticate().keySets();
        var directory = path == null
                ? null
                : Opening.section("sallyport.stages.authenticate", configuration, () -> KeySetDirectory.open(path));
        return new JwkSetRegistry(crypto, jwksScheduler, clock, meters, directory);
    }

    /** Follows the Workload API from when the first trust domain is an issuer. */
    @Bean
    JwtBundles jwtBundles(Configuration configuration, CryptoProvider crypto, Clock clock) {
        var identity = configuration.settings().identity();
        return new JwtBundles(identity == null ? null : identity.workloadApi(), crypto, clock);
    }

    @Bean
    Introspections introspections(Scheduler jwksScheduler, Clock clock, MeterRegistry meters) {
        return new Introspections(jwksScheduler, clock, meters);
    }

    @Bean
    IssuerLifecycle issuerLifecycle(JwkSetRegistry sources, JwtBundles bundles, Introspections introspections) {
        return new IssuerLifecycle() {
            @Override
            public void prefetch(Collection<Issuer> issuers) {
                follow(issuers);
                sources.prefetch(issuers).subscribe();
            }

            @Override
            public void await(Collection<Issuer> issuers) {
                follow(issuers);
                sources.prefetch(issuers).block(LONGEST_FETCH);
            }

            @Override
            public void retain(Collection<Issuer> issuers) {
                sources.retain(issuers);
                introspections.retain(issuers);
            }

            private void follow(Collection<Issuer> issuers) {
                if (issuers.stream().anyMatch(issuer -> issuer.trustDomain() != null)) {
                    bundles.follow();
                }
            }
        };
    }

    /** Whatever the stages open themselves. */
    @Bean
    StageModules stageModules(Configuration configuration, Clock clock, MeterRegistry meters) {
        return Opening.section(
                "sallyport.stages",
                configuration,
                () -> StageModules.open(configuration.settings().stages(), clock, meters));
    }

    @Bean
    SnapshotCompiler snapshotCompiler(
            JwkSetRegistry keySets,
            JwtBundles bundles,
            Introspections introspections,
            CryptoProvider crypto,
            StageModules modules) {
        return new SnapshotCompiler(
                (name, config, at) -> config.trustDomain() == null
                        ? keySets.source(name, config, at)
                        : bundles.source(name, config, at),
                introspections,
                crypto,
                modules);
    }

    /** The first configuration. Its key sets are fetched while the rest starts; readiness waits for them. */
    @Bean
    SnapshotSource snapshotSource(Configuration configuration, SnapshotCompiler compiler, IssuerLifecycle lifecycle) {
        var first = compile(compiler, configuration);
        lifecycle.prefetch(first.issuers().values());
        lifecycle.retain(first.issuers().values());
        return new SnapshotSource(first);
    }

    private static CompiledConfiguration compile(SnapshotCompiler compiler, Configuration configuration) {
        try {
            return compiler.compile(configuration);
        } catch (InvalidConfiguration e) {
            throw new RefusedStart(e);
        }
    }

    @Bean
    ConfigurationReloader configurationReloader(
            SnapshotCompiler compiler,
            IssuerLifecycle lifecycle,
            SnapshotSource snapshots,
            ConfigurationSource source,
            MeterRegistry meters) {
        return new ConfigurationReloader(compiler, lifecycle, snapshots, source, new BackgroundExecutor(), meters);
    }

    @Bean
    ConfigurationWatcher configurationWatcher(ConfigurationSource source, ConfigurationReloader reloader) {
        return new ConfigurationWatcher(source, reloader);
    }

    // revocations

    @Bean
    RevocationApi revocationApi(StageModules modules, SnapshotSource snapshots, Clock clock) {
        return new RevocationApi(
                modules.revocation().store(), issuer -> snapshots.inForce().longestLifetime(issuer), clock);
    }

    // upstreams

    @Bean
    SvidSource svidSource(Configuration configuration, Clock clock) {
        var identity = configuration.settings().identity();
        if (identity == null) {
            return new NoIdentity();
        }
        var path = "sallyport.identity";
        var workloadApi = identity.workloadApi();
        return workloadApi != null
                ? Opening.section(path, configuration, () -> WorkloadApiSvidSource.connect(workloadApi, clock))
                : Opening.section(
                        path + ".files",
                        configuration,
                        () -> FileSvidSource.watch(Objects.requireNonNull(identity.files(), "files"), clock));
    }

    @Bean
    UpstreamConnections upstreamConnections(
            Configuration configuration, SvidSource svids, Clock clock, MeterRegistry meters) {
        var identity = configuration.settings().identity();
        return identity == null
                ? new UpstreamConnections(svids, Duration.ZERO, Duration.ZERO, clock, meters)
                : new UpstreamConnections(svids, identity.drainAfter(), identity.cutAfter(), clock, meters);
    }

    /** Signs what upstreams are told of callers. */
    @Bean
    TokenIssuer tokenIssuer(Configuration configuration, CryptoProvider crypto, SvidSource svids, Clock clock) {
        var signing = configuration.settings().signing();
        return signing == null
                ? new TokenIssuer(null, null, svids)
                : Opening.section(
                        "sallyport.signing",
                        configuration,
                        () -> new TokenIssuer(
                                SigningKeys.open(signing, crypto.orNull(), clock), signing.issuer(), svids));
    }

    @Bean
    UpstreamClient upstreamClient(UpstreamConnections connections, TokenIssuer tokens) {
        return new UpstreamClient(connections, tokens);
    }

    @Bean
    GracefulShutdownEnd gracefulShutdownEnd(IngressHandler handler, Configuration configuration) {
        var grace = configuration.settings().requireListener().shutdownGrace();
        return new GracefulShutdownEnd(handler::drain, handler::isAnswering, grace.plus(BREAKING_OFF));
    }

    @Bean
    UpstreamHealth upstreamHealth(MeterRegistry meters, Clock clock) {
        return new UpstreamHealth(meters, clock);
    }

    // Spring Cloud Gateway: its beans of these types back off

    @Bean
    PinnedWebHandler filteringWebHandler(UpstreamClient upstreams) {
        return new PinnedWebHandler(new PinnedRoutingFilter(upstreams));
    }

    @Bean
    PermitRouteMapping routePredicateHandlerMapping(PinnedWebHandler webHandler, Environment environment) {
        return new PermitRouteMapping(webHandler, environment);
    }

    @Bean
    PermitForwarder permitForwarder(UpstreamClient upstreams, PermitRouteMapping routes, TokenIssuer tokens) {
        return new PermitForwarder(
                new LocalForwarder(tokens::keySet), new DirectForwarder(upstreams), new GatewayForwarder(routes));
    }

    // the request path

    /** The gateway's own event loops: the shared ones end with the first gateway of the process that is stopped. */
    @Bean
    ReactorResourceFactory reactorResourceFactory() {
        var resources = new ReactorResourceFactory();
        resources.setUseGlobalResources(false);
        // One for each processor: they never wait, so that more of them would only get into each other's way.
        resources.setLoopResourcesSupplier(
                () -> LoopResources.create("sallyport", Runtime.getRuntime().availableProcessors(), true));
        return resources;
    }

    @Bean
    DecisionLog decisionLog(Configuration configuration, MeterRegistry meters, Clock clock) {
        return Opening.section(
                "sallyport.decision-log",
                configuration,
                () -> new DecisionLog(configuration.settings().decisionLog(), meters, clock, version()));
    }

    private static String version() {
        var version = SallyportAutoConfiguration.class.getPackage().getImplementationVersion();
        return version == null ? "unknown" : version;
    }

    @Bean
    Ingress ingress(
            Configuration configuration,
            StageModules modules,
            SvidSource svids,
            UpstreamHealth upstreams,
            PermitForwarder forwarder,
            DecisionLog decisionLog,
            MeterRegistry meters) {
        return IngressPipeline.create(
                new EdgeStage(meters),
                modules.flood().stage(),
                new AuthenticateStage(configuration.settings().stages().authenticate(), svids, meters),
                modules.revocation().stage(),
                modules.rateLimit().stage(),
                modules.risk().stage(),
                modules.authorize().stage(),
                new RouteStage(upstreams),
                forwarder,
                new DecisionMetrics(meters),
                decisionLog);
    }

    @Bean
    IngressHandler ingressHandler(
            Ingress ingress, SnapshotSource snapshots, Clock clock, Configuration configuration, MeterRegistry meters) {
        var listener = configuration.settings().requireListener();
        return new IngressHandler(
                new LoadShedding(listener.shedding(), meters),
                ingress,
                snapshots,
                clock,
                listener.bodyTimeout(),
                listener.shutdownGrace(),
                listener.healthPath());
    }

    /** For the ingress server alone: the management server is customized by the beans of its own context. */
    @Bean
    IngressServer ingressServer(
            Configuration configuration,
            IngressHandler handler,
            StageModules modules,
            SvidSource svids,
            Clock clock,
            MeterRegistry meters) {
        return new IngressServer(Opening.section(
                "sallyport.listener",
                configuration,
                () -> IngressServerCustomizer.of(
                        configuration.settings().requireListener(),
                        handler,
                        counting(modules.flood().connections()),
                        svids,
                        clock,
                        meters)));
    }

    /** Nothing but a place for it where the file has none. */
    @Bean
    InternalListener internalListener(
            Configuration configuration,
            IngressHandler handler,
            StageModules modules,
            SvidSource svids,
            ReactorResourceFactory resources,
            Clock clock,
            MeterRegistry meters) {
        var internal = configuration.settings().internalListener();
        if (internal == null) {
            return InternalListener.none();
        }
        var customizer = IngressServerCustomizer.internal(
                internal,
                configuration.settings().requireListener(),
                handler,
                counting(modules.flood().connections()),
                svids,
                clock,
                meters);
        return InternalListener.of(new IngressServer(customizer), resources);
    }

    private static ConnectionListener counting(ConnectionCounts connections) {
        return new ConnectionListener() {
            @Override
            public int opened(InetAddress peer) {
                return connections.opened(peer);
            }

            @Override
            public void closed(InetAddress peer) {
                connections.closed(peer);
            }
        };
    }

    // the management port; the rest of it is in a context of its own

    @Bean
    ScrapeAccess scrapeAccess(Configuration configuration, SvidSource svids, Clock clock) {
        return Opening.section(
                "sallyport.management.scrape",
                configuration,
                () -> ScrapeAccess.open(configuration.settings().management().scrape(), svids, clock));
    }

    @Bean
    ManagementTls managementTls(Configuration configuration, ScrapeAccess scrapers, Clock clock, MeterRegistry meters) {
        var tls = configuration.settings().management().tls();
        var clients = scrapers.clients();
        return new ManagementTls(
                tls == null
                        ? null
                        : Opening.section(
                                "sallyport.management",
                                configuration,
                                () -> RenewedTls.follow("management", tls, clients, clock, meters)));
    }

    @Bean
    ManagementConfig managementConfig(Configuration configuration) {
        return configuration.settings().management();
    }

    @Bean
    ManagementTokens managementTokens(
            Configuration configuration, SnapshotSource snapshots, StageModules modules, Clock clock) {
        // The metrics of the stage are about the ingress port, so these go nowhere.
        var authenticate = new AuthenticateStage(
                configuration.settings().stages().authenticate(), () -> null, new CompositeMeterRegistry());
        return new ManagementTokens(
                () -> snapshots.inForce().management(),
                authenticate,
                modules.revocation().denyList(),
                clock);
    }

    @Bean
    ConfigurationHealth configurationHealthIndicator(ConfigurationReloader reloader, ConfigurationSource source) {
        return new ConfigurationHealth(() -> {
            var status = reloader.status();
            return new ConfigurationHealth.State(
                    status.revision(), status.findings().size(), source.problem());
        });
    }

    @Bean
    KeySetHealth jwksHealthIndicator(SnapshotSource snapshots, Clock clock) {
        return new KeySetHealth(
                () -> {
                    var inForce = snapshots.inForce();
                    return new KeySetHealth.State(
                            inForce.issuers().values(), inForce.snapshot().routes());
                },
                clock);
    }

    @Bean
    SvidHealth svidHealthIndicator(Configuration configuration, SvidSource svids, Clock clock) {
        return new SvidHealth(svids, configuration.settings().identity() != null, clock);
    }

    @Bean
    FileDescriptors fileDescriptors() {
        return FileDescriptors.ofThisProcess();
    }

    @Bean
    FileDescriptorHealth fileDescriptorsHealthIndicator(FileDescriptors descriptors) {
        return new FileDescriptorHealth(descriptors);
    }

    @Bean
    RemovedCorsHealth corsHealthIndicator() {
        return new RemovedCorsHealth(RemovedCors::routes);
    }

    @Bean
    SelfWatch selfWatch(SvidSource svids, Clock clock, FileDescriptors descriptors, HealthEndpoint health) {
        return new SelfWatch(List.of(
                new ClockJumps(clock, System::nanoTime)::look,
                descriptors::look,
                new SvidLog(svids, clock)::look,
                new ReadinessLog(health)::look));
    }

    @Bean
    StagesHealth stagesHealth(StageModules modules, HealthContributorRegistry registry) {
        return new StagesHealth(modules.health(), registry);
    }

    @Bean
    DecisionLogHealth decisionLogHealthIndicator(DecisionLog decisionLog) {
        return new DecisionLogHealth(decisionLog);
    }
}
