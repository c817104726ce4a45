// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.config.Findings;
import io.sallyport.identity.KeyPairPem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The files behind connections to a named upstream, and what was last read from them: the authorities that may vouch for it, and
 * the certificate that the gateway shows. Equal if the paths are. Safe for use by any thread.
 */
public final class TlsFiles {
    /** A chain, leaf first, and its key. */
    record Shown(List<X509Certificate> chain, PrivateKey key) {
        Shown {
            chain = List.copyOf(chain);
        }
    }

    /** What the files said together. */
    record Content(Set<TrustAnchor> authorities, @Nullable Shown shown) {}

    private final CaSource ca;
    private final ClientCertificateConfig certificate;
    private volatile Content content;

    private TlsFiles(CaSource ca, ClientCertificateConfig certificate, Content content) {
        this.ca = ca;
        this.certificate = certificate;
        this.content = content;
    }

    /**
     * Reads the files. Blocks.
     *
     * @param at the section that names them
     * @return null, with a finding for each file that cannot be used
     */
    static @Nullable TlsFiles read(UpstreamTlsConfig config, Findings.Place at) {
        Set<TrustAnchor> authorities = null;
        try {
            authorities = config.ca().read();
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            at.child("ca").reject(config.ca(), "a PEM file with certificate authorities, or system: " + causeOf(e));
        }
        Shown shown = null;
        try {
            shown = read(config.clientCertificate());
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            at.child("client-certificate")
                    .reject(
                            config.clientCertificate().certificate(),
                            "PEM files with a certificate and its private key: " + causeOf(e));
            return null;
        }
        return authorities == null
                ? null
                : new TlsFiles(config.ca(), config.clientCertificate(), new Content(authorities, shown));
    }

    private static @Nullable Shown read(ClientCertificateConfig files) throws IOException, GeneralSecurityException {
        if (files.certificate() == null || files.key() == null) {
            return null;
        }
        var pair = KeyPairPem.parse(text(files.certificate()), text(files.key()));
        return new Shown(pair.chain(), pair.key());
    }

    // Not UTF-8: a file that is no text at all is for the parser to refuse.
    private static String text(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.ISO_8859_1);
    }

    private static String causeOf(Exception e) {
        return e instanceof NoSuchFileException missing
                ? "there is no file " + missing.getFile()
                : String.valueOf(e.getMessage());
    }

    /** What they said when they were last read without a fault. Never waits. */
    Content content() {
        return content;
    }

    /** Those that may change. */
    List<Path> paths() {
        var paths = new ArrayList<Path>();
        for (var path : new Path[] {ca.file(), certificate.certificate(), certificate.key()}) {
            if (path != null) {
                paths.add(path);
            }
        }
        return paths;
    }

    /**
     * Reads them again. Blocks; one thread at a time.
     *
     * @return whether they say something else now; if a file cannot be used, they keep what they said
     */
    boolean readAgain() throws IOException, GeneralSecurityException {
        var next = new Content(ca.read(), read(certificate));
        var before = content;
        if (isSame(before, next)) {
            return false;
        }
        content = next;
        return true;
    }

    private static boolean isSame(Content before, Content next) {
        return certificatesOf(before).equals(certificatesOf(next))
                && chainOf(before.shown()).equals(chainOf(next.shown()));
    }

    private static Set<X509Certificate> certificatesOf(Content content) {
        return content.authorities().stream().map(TrustAnchor::getTrustedCert).collect(Collectors.toUnmodifiableSet());
    }

    private static List<X509Certificate> chainOf(@Nullable Shown shown) {
        return shown == null ? List.of() : shown.chain();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TlsFiles that && ca.equals(that.ca) && certificate.equals(that.certificate);
    }

    @Override
    public int hashCode() {
        return Objects.hash(ca, certificate);
    }

    @Override
    public String toString() {
        return paths().toString();
    }
}
