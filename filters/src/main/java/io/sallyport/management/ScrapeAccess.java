// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.config.InvalidSetting;
import io.sallyport.files.FileWatch;
import io.sallyport.identity.ExpectedIds;
import io.sallyport.identity.PeerTrustManager;
import io.sallyport.identity.TrustBundleSource;
import io.sallyport.identity.TrustBundles;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may read the metrics by a credential of {@code management.scrape}: it depends on no issuer, so that the metrics of an issuer without
 * keys can be read. Safe for use by any thread; never waits.
 */
public final class ScrapeAccess implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ScrapeAccess.class);

    private static final int SHORTEST = 32;
    private static final int LONGEST = 4096;
    private static final String TOKEN =
            "a readable file with one line of %d to %d characters".formatted(SHORTEST, LONGEST);
    private static final String AUTHORITIES = "a readable PEM file with at least one CA certificate";
    private static final int DNS_NAME = 2;
    private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    private static final String ANY_USAGE = "2.5.29.37.0";

    private final @Nullable ScrapeConfig config;
    private final Set<TrustAnchor> anchors;
    private final ExpectedIds workloads;
    private final TrustBundleSource bundles;
    private final InstantSource clock;
    private final @Nullable FileWatch watch;
    /** SHA-256 of the token, so that its length is compared in constant time too; empty for none. */
    private volatile byte[] token = new byte[0];

    private ScrapeAccess(@Nullable ScrapeConfig config, TrustBundleSource bundles, InstantSource clock) {
        this.config = config;
        this.bundles = bundles;
        this.clock = clock;
        this.workloads = ExpectedIds.of(config == null ? List.of() : config.clientSpiffeIds());
        var authorities = config == null ? null : config.clientCa();
        this.anchors = authorities == null ? Set.of() : anchors(authorities);
        var file = config == null ? null : config.tokenFile();
        if (file == null) {
            this.watch = null;
            return;
        }
        this.watch = new FileWatch("sallyport-scrape-token", List.of(file), clock);
        this.token = read(file);
        watch.start(_ -> renew(file));
    }

    /**
     * Reads the files that the section names, and follows the token's.
     *
     * @param config null if there is no such section: then nobody has access
     * @param bundles what X509-SVIDs are judged by
     * @throws InvalidSetting naming the file that cannot be used
     */
    public static ScrapeAccess open(@Nullable ScrapeConfig config, TrustBundleSource bundles, InstantSource clock) {
        return new ScrapeAccess(config, bundles, clock);
    }

    /** Reads the files once, for findings. */
    public static void check(ScrapeConfig config) {
        if (config.tokenFile() != null) {
            read(config.tokenFile());
        }
        if (config.clientCa() != null) {
            anchors(config.clientCa());
        }
    }

    private static byte[] read(Path file) {
        try {
            var text = Files.readString(file, StandardCharsets.ISO_8859_1).strip();
            if (text.length() >= SHORTEST
                    && text.length() <= LONGEST
                    && text.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
                return digest(text);
            }
            // Its content is not shown.
            throw new InvalidSetting("token-file", file, TOKEN);
        } catch (IOException e) {
            throw new InvalidSetting("token-file", "%s: %s".formatted(file, FileWatch.causeOf(e)), TOKEN);
        }
    }

    private void renew(Path file) {
        try {
            token = read(file);
            log.atInfo().addKeyValue("file", file).log("the token of scrapers was replaced");
        } catch (InvalidSetting e) {
            log.atWarn()
                    .addKeyValue("cause", e.getMessage())
                    .log("the token of scrapers cannot be read; the previous one stays");
        }
    }

    private static Set<TrustAnchor> anchors(Path file) {
        try {
            var pem = Files.readString(file, StandardCharsets.ISO_8859_1);
            var anchors = CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(pem.getBytes(StandardCharsets.ISO_8859_1)))
                    .stream()
                    .map(X509Certificate.class::cast)
                    .filter(certificate -> certificate.getBasicConstraints() != -1)
                    .map(certificate -> new TrustAnchor(certificate, null))
                    .collect(Collectors.toUnmodifiableSet());
            if (!anchors.isEmpty()) {
                return anchors;
            }
        } catch (IOException | CertificateException _) {
            // Told below.
        }
        throw new InvalidSetting("client-ca", file, AUTHORITIES);
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.ISO_8859_1));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Whether there is such a section. */
    boolean isConfigured() {
        return config != null;
    }

    /** Whether that is the token of a scraper; in constant time. */
    boolean isToken(String presented) {
        var expected = token;
        return expected.length > 0 && MessageDigest.isEqual(expected, digest(presented));
    }

    /**
     * Judges the certificates of clients in the handshake; null if none is asked for. Who shows none is let in, for the probes.
     */
    public @Nullable PeerTrustManager clients() {
        return config == null || !config.asksForCertificates() ? null : new Scrapers();
    }

    private final class Scrapers extends PeerTrustManager {
        private Scrapers() {
            super(TrustBundles.Role.CLIENT);
        }

        @Override
        protected void check(List<X509Certificate> chain) throws CertificateException {
            if (!admits(chain)) {
                throw new CertificateException("not the certificate of a scraper");
            }
        }
    }

    /**
     * Whether that is the certificate of a scraper, by the authorities of this moment.
     *
     * @param chain leaf first; its key was proven in the handshake
     */
    boolean admits(List<X509Certificate> chain) {
        return !chain.isEmpty() && (isWorkload(chain) || isNamed(chain));
    }

    private boolean isWorkload(List<X509Certificate> chain) {
        var current = workloads.isEmpty() ? null : bundles.bundles();
        return current != null
                && current.judge(chain, TrustBundles.Role.CLIENT, clock.instant()) instanceof TrustBundles.Proven proven
                && clock.instant().isBefore(proven.expiresAt())
                && workloads.match(proven.id());
    }

    private boolean isNamed(List<X509Certificate> chain) {
        if (anchors.isEmpty() || config == null) {
            return false;
        }
        try {
            var leaf = chain.getFirst();
            return leaf.getBasicConstraints() == -1
                    && isForClients(leaf)
                    && carriesOneOf(config.clientNames(), leaf)
                    && isVouchedFor(chain);
        } catch (GeneralSecurityException _) {
            return false;
        }
    }

    private static boolean isForClients(X509Certificate leaf) throws CertificateParsingException {
        var usages = leaf.getExtendedKeyUsage();
        return usages == null || usages.contains(CLIENT_AUTH) || usages.contains(ANY_USAGE);
    }

    private static boolean carriesOneOf(List<String> expected, X509Certificate leaf)
            throws CertificateParsingException {
        var names = leaf.getSubjectAlternativeNames();
        return names != null
                && names.stream()
                        .filter(name -> name.get(0) instanceof Integer type && type == DNS_NAME)
                        .map(name -> String.valueOf(name.get(1)).toLowerCase(Locale.ROOT))
                        .anyMatch(expected::contains);
    }

    private boolean isVouchedFor(List<X509Certificate> chain) throws GeneralSecurityException {
        var path = chain.stream()
                .takeWhile(certificate ->
                        anchors.stream().noneMatch(anchor -> certificate.equals(anchor.getTrustedCert())))
                .toList();
        if (path.isEmpty()) {
            return false;
        }
        var parameters = new PKIXParameters(anchors);
        parameters.setRevocationEnabled(false);
        parameters.setDate(Date.from(clock.instant()));
        CertPathValidator.getInstance("PKIX")
                .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
        return true;
    }

    /** Follows the token's file no longer. */
    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
    }
}
