// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.files;

import io.sallyport.config.Findings;
import io.sallyport.files.FileWatch;
import io.sallyport.workload.svid.CurrentIdentity;
import io.sallyport.workload.svid.IdentityConfig;
import io.sallyport.workload.svid.SvidSource;
import io.sallyport.workload.svid.WorkloadIdentity;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the X509-SVID, its key and the bundles from PEM files, and again whenever one of them changes. A set of files that is
 * incomplete, unreadable or does not belong together changes nothing: the previous identity stays until it expires, and the
 * files are tried again.
 */
public final class FileSvidSource implements SvidSource {
    private static final Logger log = LoggerFactory.getLogger(FileSvidSource.class);

    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private final IdentityConfig.Files files;
    private final CurrentIdentity identity;
    private final FileWatch watch;
    private String lastComplaint = "";

    private FileSvidSource(IdentityConfig.Files files, InstantSource clock, Duration interval) {
        this.files = files;
        this.identity = new CurrentIdentity(clock);
        var all = new ArrayList<>(List.of(files.svid(), files.key(), files.bundle()));
        all.addAll(files.federated().values());
        this.watch = new FileWatch("sallyport-svid-files", all, clock, interval);
    }

    /** Reads the files once before it returns, then keeps watching them. Files that are wrong are not an error here. */
    public static FileSvidSource watch(IdentityConfig.Files files, InstantSource clock) {
        return watch(files, clock, INTERVAL);
    }

    static FileSvidSource watch(IdentityConfig.Files files, InstantSource clock, Duration interval) {
        var source = new FileSvidSource(files, clock, interval);
        try {
            source.read();
        } catch (IOException _) {
            source.watch.again();
        }
        source.watch.start(_ -> source.read());
        return source;
    }

    /**
     * Adds a finding for each file that keeps the gateway from proving who it is now.
     *
     * @param at the section {@code identity.files}
     */
    public static void check(IdentityConfig.Files files, Instant now, Findings.Place at) {
        SvidFiles.check(files, now, at);
    }

    private void read() throws IOException {
        try {
            var read = SvidFiles.read(files);
            identity.replace(read.id(), read.chain(), read.key(), read.bundles());
            lastComplaint = "";
        } catch (UnusableSvid e) {
            complainOnce(e);
            if (e.mayBeMended()) {
                throw new IOException(e);
            }
        }
    }

    private void complainOnce(UnusableSvid e) {
        var complaint = String.valueOf(e.getMessage());
        if (!complaint.equals(lastComplaint)) {
            lastComplaint = complaint;
            log.atWarn()
                    .addKeyValue("cause", complaint)
                    .log("the SVID files cannot be used; the previous identity stays");
        }
    }

    @Override
    public @Nullable WorkloadIdentity current() {
        return identity.get();
    }

    @Override
    public @Nullable Instant receivedAt() {
        return identity.receivedAt();
    }

    @Override
    public void onUpdate(Consumer<@Nullable WorkloadIdentity> listener) {
        identity.onUpdate(listener);
    }

    @Override
    public void close() {
        watch.close();
    }
}
