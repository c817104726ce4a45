// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.files.FileWatch;
import io.sallyport.identity.UnusableKeyPair;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TLS of a port by the certificates that are in its files now. Files that are incomplete, unreadable, do not belong together or
 * have expired change nothing; they are looked at again when they change.
 */
public final class RenewedTls extends CurrentTls {
    private static final Logger log = LoggerFactory.getLogger(RenewedTls.class);

    private final String port;
    private final List<CertificateFiles> files;
    private final UnaryOperator<SslContextBuilder> clients;
    private final InstantSource clock;
    private final Counter renewals;
    private final Counter refusals;
    private final FileWatch watch;

    private volatile Served current;

    private @Nullable String complaint;

    private record Contents(String certificate, String key) {}

    private record Served(ServerCertificates certificates, SslContext context) {}

    private RenewedTls(
            String port,
            List<CertificateFiles> files,
            UnaryOperator<SslContextBuilder> clients,
            InstantSource clock,
            MeterRegistry meters) {
        this.port = port;
        this.files = List.copyOf(files);
        this.clients = clients;
        this.clock = clock;
        this.watch = new FileWatch(
                "sallyport-certificates",
                files.stream()
                        .flatMap(each -> Stream.of(each.certificate(), each.key()))
                        .toList(),
                clock);
        try {
            this.current = load(read());
        } catch (Unreadable e) {
            throw e.setting;
        }
        warnOfExpired();
        this.renewals = counter("renewed", meters);
        this.refusals = counter("refused", meters);
        Gauge.builder("sallyport.server.certificate.seconds.to.expiry", this, RenewedTls::secondsToExpiry)
                .description("How long the certificate that expires first is still valid")
                .tag("port", port)
                .register(meters);
        watch.start(_ -> renew());
    }

    private Counter counter(String result, MeterRegistry meters) {
        return Counter.builder("sallyport.server.certificate.changes")
                .description("Changes of certificate files, by whether they are what clients are shown now")
                .tag("port", port)
                .tag("result", result)
                .register(meters);
    }

    /**
     * Reads one certificate, and follows its files.
     *
     * @param port its section in the file
     * @param clients judges what clients show, if they show something; null for a port that asks for nothing
     * @throws InvalidSetting naming the file that cannot be used
     */
    public static RenewedTls follow(
            String port,
            CertificateFiles files,
            @Nullable TrustManager clients,
            InstantSource clock,
            MeterRegistry meters) {
        return follow(
                port,
                List.of(files),
                builder -> clients == null
                        ? builder.clientAuth(ClientAuth.NONE)
                        : builder.trustManager(clients).clientAuth(ClientAuth.OPTIONAL),
                clock,
                meters);
    }

    /**
     * The same for several.
     *
     * @param files at least one, which is for whoever asks for none of the names of the others
     * @param clients what is asked of clients
     */
    public static RenewedTls follow(
            String port,
            List<CertificateFiles> files,
            UnaryOperator<SslContextBuilder> clients,
            InstantSource clock,
            MeterRegistry meters) {
        return new RenewedTls(port, files, clients, clock, meters);
    }

    /** A file that cannot be read now, but may be later. */
    private static final class Unreadable extends IOException {
        private static final long serialVersionUID = 1L;

        private final transient InvalidSetting setting;

        Unreadable(String key, Path file, IOException cause) {
            this.setting = new InvalidSetting(
                    key, "%s: %s".formatted(file, FileWatch.causeOf(cause)), "a PEM file that this process may read");
        }
    }

    private List<Contents> read() throws Unreadable {
        var contents = new ArrayList<Contents>();
        for (int i = 0; i < files.size(); i++) {
            contents.add(read(i, files.get(i)));
        }
        return contents;
    }

    private static Contents read(int number, CertificateFiles files) throws Unreadable {
        return new Contents(
                read(key(number) + ".certificate", files.certificate()), read(key(number) + ".key", files.key()));
    }

    private static String key(int number) {
        return number == 0 ? "tls" : "tls.more-certificates[%d]".formatted(number - 1);
    }

    // Not UTF-8: a file that is no text at all is for the parser to refuse.
    private static String read(String key, Path file) throws Unreadable {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new Unreadable(key, file, e);
        }
    }

    private Served load(List<Contents> contents) {
        var certificates = new ArrayList<ServerCertificate>();
        for (int i = 0; i < contents.size(); i++) {
            certificates.add(parse(i, files.get(i), contents.get(i)));
        }
        var all = new ServerCertificates(certificates);
        try {
            return new Served(all, ListenerTls.context(all, clients));
        } catch (SSLException _) {
            throw new InvalidSetting("tls", files, "certificates and keys that TLS can use");
        }
    }

    private static ServerCertificate parse(int number, CertificateFiles files, Contents contents) {
        try {
            return ServerCertificate.parse(contents.certificate(), contents.key());
        } catch (UnusableKeyPair e) {
            boolean ofKey = e.part() == UnusableKeyPair.Part.KEY;
            throw new InvalidSetting(
                    key(number) + (ofKey ? ".key" : ".certificate"),
                    "%s: %s".formatted(ofKey ? files.key() : files.certificate(), e.found()),
                    e.expected());
        } catch (GeneralSecurityException e) {
            throw new InvalidSetting(
                    key(number) + ".key", "%s: %s".formatted(files.key(), e.getMessage()), "RSA of 2048 bits or more");
        }
    }

    /**
     * Adds a finding for each pair of files that a port cannot be served under. Reads them once, and follows none.
     *
     * @param at the port's section
     */
    public static void check(List<CertificateFiles> files, Findings.Place at) {
        for (int i = 0; i < files.size(); i++) {
            var certificate = readOrReject(key(i) + ".certificate", files.get(i).certificate(), at);
            var key = readOrReject(key(i) + ".key", files.get(i).key(), at);
            if (certificate == null || key == null) {
                continue;
            }
            try {
                parse(i, files.get(i), new Contents(certificate, key));
            } catch (InvalidSetting e) {
                reject(e, at);
            }
        }
    }

    private static @Nullable String readOrReject(String key, Path file, Findings.Place at) {
        try {
            return read(key, file);
        } catch (Unreadable e) {
            reject(e.setting, at);
            return null;
        }
    }

    private static void reject(InvalidSetting wrong, Findings.Place at) {
        at.child(wrong.key()).reject(wrong.value(), wrong.expected());
    }

    /** Looks at the files once, now. */
    void look() {
        watch.look();
    }

    private void renew() throws IOException {
        try {
            take(load(read()));
        } catch (Unreadable e) {
            refuse(e.setting.getMessage());
            throw e;
        } catch (InvalidSetting e) {
            refuse(e.getMessage());
        } catch (RuntimeException e) {
            refuse(e.getClass().getName());
        }
    }

    private void take(Served next) {
        var now = clock.instant();
        for (var certificate : next.certificates.all()) {
            if (certificate.hasExpired(now)) {
                refuse("%s has expired".formatted(certificate));
                return;
            }
        }
        current = next;
        complaint = null;
        renewals.increment();
        log.atInfo()
                .addKeyValue("port", port)
                .addKeyValue("certificates", next.certificates)
                .log("certificates were renewed; new connections see them");
    }

    // Once for each cause: a file that cannot be read is tried again each second.
    private void refuse(@Nullable String why) {
        if (Objects.equals(why, complaint)) {
            return;
        }
        complaint = why;
        refusals.increment();
        log.atWarn()
                .addKeyValue("port", port)
                .addKeyValue("cause", why)
                .log("changed certificate files cannot be used; the previous certificates stay");
    }

    private void warnOfExpired() {
        var now = clock.instant();
        for (var certificate : current.certificates.all()) {
            if (certificate.hasExpired(now)) {
                // It may be all there is, and what is behind it may be reached by clients that look away.
                log.atWarn()
                        .addKeyValue("port", port)
                        .addKeyValue("certificate", certificate)
                        .log("a certificate has expired");
            }
        }
    }

    private double secondsToExpiry() {
        return current.certificates.all().stream()
                .map(certificate -> certificate.leaf().getNotAfter().toInstant())
                .min(Comparator.naturalOrder())
                .map(end -> Duration.between(clock.instant(), end).toSeconds())
                .orElseThrow();
    }

    @Override
    SslContext current() {
        return current.context;
    }

    @Override
    public ServerCertificates certificates() {
        return current.certificates;
    }

    @Override
    public void close() {
        watch.close();
    }
}
