// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import io.netty.handler.ssl.OpenSsl;
import io.netty.util.NetUtil;
import io.sallyport.authenticate.keys.CryptoProvider;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.slf4j.LoggerFactory;
import reactor.netty.http.client.HttpClient;

/**
 * What every gateway needs and no configuration decides: libraries that are loaded and test themselves, tables and
 * certificates that are read once. It is done beside the reading of the configuration, instead of after it.
 *
 * <p>Nothing depends on it. Whoever needs one of these asks for it as if nobody had before, and so meets, and reports, whatever is
 * wrong with it.
 */
final class HeadStart {
    private static final List<Runnable> STEPS =
            List.of(CryptoProvider::prepare, OpenSsl::isAvailable, HeadStart::computeCurve, HeadStart::readAuthorities);

    private final CompletableFuture<Void> done;

    private HeadStart(CompletableFuture<Void> done) {
        this.done = done;
    }

    static HeadStart begin() {
        // The logger first: what one thread logs while another makes it is held back, with a warning.
        LoggerFactory.getILoggerFactory();
        // And what Netty's classes and those that read the configuration
        // have in common, so that the two never wait for each other.
        NetUtil.isIpV4StackPreferred();
        return begin(STEPS);
    }

    static HeadStart begin(List<Runnable> steps) {
        Executor thread = each ->
                Thread.ofPlatform().daemon().name("sallyport-head-start").start(each);
        return new HeadStart(CompletableFuture.runAsync(() -> steps.forEach(HeadStart::attempt), thread));
    }

    /** Returns when it is done. To be called before two threads could initialize classes that initialize each other. */
    void await() {
        done.join();
    }

    private static void attempt(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | LinkageError _) {
            // For whoever needs it to report.
        }
    }

    /** The multiples of the base point of P-256, with which the JDK signs and verifies: SVIDs have keys of that curve. */
    private static void computeCurve() {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(256);
            generator.generateKeyPair();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("a JDK without EC", e);
        }
    }

    /** Those that the JDK trusts, whom a client has until it is told others. */
    private static void readAuthorities() {
        HttpClient.create().secure();
    }
}
