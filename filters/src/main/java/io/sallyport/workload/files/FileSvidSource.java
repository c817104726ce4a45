// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.files;

import io.sallyport.files.FileWatch;
import io.sallyport.identity.KeyPairCheck;
import io.sallyport.workload.svid.CurrentIdentity;
import io.sallyport.workload.svid.IdentityConfig;
import io.sallyport.workload.svid.SvidSource;
import io.sallyport.workload.svid.WorkloadIdentity;
import io.spiffe.bundle.x509bundle.X509Bundle;
import io.spiffe.exception.X509BundleException;
import io.spiffe.exception.X509SvidException;
import io.spiffe.spiffeid.TrustDomain;
import io.spiffe.svid.x509svid.X509Svid;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

    private record Contents(String svid, String key, String bundle, Map<String, String> federated) {}

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

    private void read() throws IOException {
        try {
            publish(readAll());
            lastComplaint = "";
        } catch (IOException e) {
            complainOnce(e);
            throw e;
        } catch (GeneralSecurityException | RuntimeException e) {
            complainOnce(e);
        }
    }

    private Contents readAll() throws IOException {
        var federated = new HashMap<String, String>();
        for (var bundle : files.federated().entrySet()) {
            federated.put(bundle.getKey(), read(bundle.getValue()));
        }
        return new Contents(read(files.svid()), read(files.key()), read(files.bundle()), federated);
    }

    // Not UTF-8: a file that is no text at all is for the parser to refuse.
    private static String read(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.ISO_8859_1);
    }

    private void publish(Contents contents) throws GeneralSecurityException {
        try {
            var svid = X509Svid.parse(bytes(contents.svid), bytes(contents.key));
            if (!KeyPairCheck.belongTogether(
                    svid.getPrivateKey(), svid.getLeaf().getPublicKey())) {
                throw new GeneralSecurityException("%s is not the key of %s".formatted(files.key(), files.svid()));
            }
            var bundles = new HashMap<TrustDomain, Set<X509Certificate>>();
            for (var federated : contents.federated.entrySet()) {
                putBundle(TrustDomain.parse(federated.getKey()), federated.getValue(), bundles);
            }
            putBundle(svid.getSpiffeId().getTrustDomain(), contents.bundle, bundles);
            identity.replace(svid.getSpiffeId(), svid.getChain(), svid.getPrivateKey(), bundles);
        } catch (X509SvidException | X509BundleException e) {
            throw new GeneralSecurityException(e.getMessage(), e);
        }
    }

    private static void putBundle(TrustDomain trustDomain, String pem, Map<TrustDomain, Set<X509Certificate>> bundles)
            throws X509BundleException {
        bundles.put(trustDomain, X509Bundle.parse(trustDomain, bytes(pem)).getX509Authorities());
    }

    private static byte[] bytes(String pem) {
        return pem.getBytes(StandardCharsets.ISO_8859_1);
    }

    private void complainOnce(Exception e) {
        var complaint = String.valueOf(e);
        if (!complaint.equals(lastComplaint)) {
            lastComplaint = complaint;
            log.atWarn()
                    .addKeyValue("svid", files.svid())
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
