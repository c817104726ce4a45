// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.config.Finding;
import io.sallyport.config.Findings;
import io.sallyport.config.ReadAtStart;
import java.util.List;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces the configuration in force by what its source says now: reads, binds and compiles all of it, then swaps one reference.
 * If anything is wrong nothing changes; the findings are logged, counted and shown in health.
 */
public final class ConfigurationReloader {
    private static final Logger log = LoggerFactory.getLogger(ConfigurationReloader.class);

    public enum Result {
        /** The file says what it said. */
        UNCHANGED,
        APPLIED,
        REFUSED
    }

    /**
     * How the gateway's configuration is, for an operator.
     *
     * @param revision of the configuration in force
     * @param findings what was wrong with the file when it was last read; empty if it is in force
     */
    public record Status(String revision, List<Finding> findings) {}

    private final SnapshotCompiler compiler;
    private final IssuerLifecycle lifecycle;
    private final SnapshotSource snapshots;
    private final ConfigurationSource source;
    private final Executor background;
    private final Counter applied;
    private final Counter refused;

    private volatile Status status;

    /**
     * Has read nothing yet.
     *
     * @param lifecycle has the keys of issuers fetched before tokens of theirs are accepted
     * @param source of the configuration in force
     * @param background reads and compiles, which takes time and must start no thread
     */
    public ConfigurationReloader(
            SnapshotCompiler compiler,
            IssuerLifecycle lifecycle,
            SnapshotSource snapshots,
            ConfigurationSource source,
            Executor background,
            MeterRegistry meters) {
        this.compiler = compiler;
        this.lifecycle = lifecycle;
        this.snapshots = snapshots;
        this.source = source;
        this.background = background;
        this.status = new Status(snapshots.get().revision(), List.of());
        this.applied = Counter.builder("sallyport.config.reloads")
                .tag("result", "applied")
                .register(meters);
        this.refused = Counter.builder("sallyport.config.reloads")
                .tag("result", "refused")
                .register(meters);
        Gauge.builder(
                        "sallyport.config.last.reload.successful",
                        this,
                        reloader -> reloader.status().findings().isEmpty() && source.problem() == null ? 1 : 0)
                .description("1 if the configuration in force is what the file says")
                .register(meters);
    }

    public Status status() {
        return status;
    }

    /** Reads the file and applies it. Takes as long as its new issuers' key sets take to be fetched; never throws. */
    public synchronized Result reload() {
        var inForce = snapshots.inForce();
        try {
            var findings = new Findings();
            var read = BackgroundExecutor.compute(background, () -> source.read(inForce.configuration(), findings));
            if (read == null) {
                throw new InvalidConfiguration(source.name(), findings.all());
            }
            if (read.revision().equals(inForce.configuration().revision())) {
                status = new Status(read.revision(), List.of());
                return Result.UNCHANGED;
            }
            ReadAtStart.requireUnchanged(inForce.settings(), read.settings(), findings.at("sallyport"));
            var next = compiler.compileNext(read, inForce, background, findings);
            if (next == null) {
                throw new InvalidConfiguration(source.name(), findings.all());
            }
            apply(next);
            return Result.APPLIED;
        } catch (InvalidConfiguration e) {
            refuse(inForce, e.findings(), String.join(System.lineSeparator(), e.lines()));
        } catch (RuntimeException e) {
            // A bug in what compiles; the gateway goes on with what it has, as with a wrong file.
            log.atError().setCause(e).log("compiling the configuration failed");
            var bug = new Finding("sallyport", "compiling it failed", "no bug: see the log, and report it");
            refuse(inForce, List.of(bug), bug.toString());
        }
        return Result.REFUSED;
    }

    private void apply(CompiledConfiguration next) {
        var revision = next.configuration().revision();
        lifecycle.await(next.issuers().values());
        snapshots.swap(next);
        lifecycle.retain(next.issuers().values());
        status = new Status(revision, List.of());
        applied.increment();
        log.atInfo()
                .addKeyValue("revision", revision)
                .addKeyValue("routes", next.settings().routes().size())
                .log("the configuration was replaced");
    }

    private void refuse(CompiledConfiguration inForce, List<Finding> findings, String message) {
        var revision = inForce.configuration().revision();
        status = new Status(revision, findings);
        refused.increment();
        log.atError()
                .addKeyValue("findings", findings.size())
                .addKeyValue("revision", revision)
                .log(
                        "the configuration file is wrong; what was in force stays in force:{}{}",
                        System.lineSeparator(),
                        message);
    }
}
