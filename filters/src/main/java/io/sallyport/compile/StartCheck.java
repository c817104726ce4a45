// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.authenticate.introspection.Introspections;
import io.sallyport.authenticate.jwks.JwkSetRegistry;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.decisionlog.DecisionLog;
import io.sallyport.management.ScrapeAccess;
import io.sallyport.revocation.journal.DenyListJournal;
import io.sallyport.wire.tls.RenewedTls;
import io.sallyport.workload.files.FileSvidSource;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the files, directories and ports that a configuration names, as a start would find them now. Makes and changes nothing, and
 * adds all findings at once. Blocks.
 */
final class StartCheck {
    private static final String A_WRITABLE_FILE = "a file that this process may write, or make";

    private final GatewaySettings settings;
    private final Findings.Place at;

    private StartCheck(GatewaySettings settings, Findings findings) {
        this.settings = settings;
        this.at = findings.at("sallyport");
    }

    /** What a start would refuse. */
    static void files(GatewaySettings settings, Findings findings) {
        var check = new StartCheck(settings, findings);
        check.certificates();
        check.decisionLog();
        check.keySets();
        check.scrapers();
        check.issuers();
    }

    /** What would keep the gateway from becoming ready, or from having its ports. */
    static void surroundings(GatewaySettings settings, InstantSource clock, Findings findings) {
        var check = new StartCheck(settings, findings);
        check.identity(clock);
        check.journal();
        check.ports();
    }

    private void certificates() {
        var listener = settings.listener();
        if (listener != null && listener.tls() != null) {
            RenewedTls.check(listener.tls().certificates(), at.child("listener"));
        }
        var management = settings.management();
        if (management.tls() != null) {
            RenewedTls.check(List.of(management.tls()), at.child("management"));
        }
    }

    private void issuers() {
        settings.issuers().forEach((name, issuer) -> {
            var place = at.child("issuers").child(name);
            JwkSetRegistry.checkFiles(issuer, place);
            Introspections.checkFiles(issuer, place);
        });
    }

    private void scrapers() {
        var scrape = settings.management().scrape();
        if (scrape != null) {
            try {
                ScrapeAccess.check(scrape);
            } catch (InvalidSetting e) {
                at.child("management").child("scrape").child(e.key()).reject(e.value(), e.expected());
            }
        }
    }

    private void decisionLog() {
        var log = settings.decisionLog();
        var place = at.child("decision-log");
        if (log.file() != null) {
            // A start makes the directories that are missing.
            requireWritable(log.file().path(), true, place.child("file").child("path"));
        }
        var key = log.pseudonymKeyFile();
        if (key != null) {
            var keyPlace = place.child("pseudonym-key-file");
            requireWritable(key, false, keyPlace);
            if (Files.isReadable(key) && !DecisionLog.isKey(key)) {
                keyPlace.reject(key, "a file with at least 32 bytes in base64");
            }
        }
    }

    private void keySets() {
        var directory = settings.stages().authenticate().keySets();
        if (directory == null) {
            return;
        }
        var place = at.child("stages").child("authenticate").child("key-sets");
        boolean usable = Files.exists(directory)
                ? Files.isDirectory(directory) && Files.isWritable(directory)
                : isWritableDirectory(directory.toAbsolutePath().getParent());
        if (!usable) {
            place.reject(directory, "a directory of the gateway's own, writable, in one that exists");
        }
    }

    private static void requireWritable(Path file, boolean makesDirectories, Findings.Place place) {
        if (Files.exists(file)) {
            if (!Files.isRegularFile(file) || !Files.isWritable(file) || !Files.isReadable(file)) {
                place.reject(file, A_WRITABLE_FILE);
            }
            return;
        }
        var directory = file.toAbsolutePath().getParent();
        while (makesDirectories && directory != null && Files.notExists(directory)) {
            directory = directory.getParent();
        }
        if (!isWritableDirectory(directory)) {
            place.reject("%s: %s is no directory that can be written to".formatted(file, directory), A_WRITABLE_FILE);
        }
    }

    private static boolean isWritableDirectory(@Nullable Path directory) {
        return directory != null && Files.isDirectory(directory) && Files.isWritable(directory);
    }

    private void identity(InstantSource clock) {
        var identity = settings.identity();
        if (identity != null && identity.files() != null) {
            FileSvidSource.check(
                    identity.files(), clock.instant(), at.child("identity").child("files"));
        }
    }

    private void journal() {
        var journal = settings.stages().revocation().journal();
        var obstacle = journal == null ? null : DenyListJournal.obstacle(journal);
        if (obstacle != null) {
            at.child("stages")
                    .child("revocation")
                    .child("journal")
                    .reject(obstacle, "a journal that can be read back, and written by this process alone");
        }
    }

    private void ports() {
        var listener = settings.listener();
        if (listener != null) {
            requireFree(listener.address(), listener.port(), at.child("listener"));
        }
        var internal = settings.internalListener();
        if (internal != null) {
            requireFree(internal.address(), internal.port(), at.child("internal-listener"));
        }
        var management = settings.management();
        requireFree(management.address(), management.port(), at.child("management"));
    }

    private static void requireFree(String address, int port, Findings.Place place) {
        try (var socket = new ServerSocket()) {
            // As the server does: connections of an earlier process that are not quite over are in nobody's way.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(address, port));
        } catch (IOException e) {
            place.child("port")
                    .reject(
                            "%d: %s".formatted(port, e.getMessage()),
                            "a port of %s that is free, and that this process may have".formatted(address));
        }
    }
}
