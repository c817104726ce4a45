// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.files;

import io.sallyport.config.Findings;
import io.sallyport.files.FileWatch;
import io.sallyport.identity.KeyPairPem;
import io.sallyport.identity.TrustBundles;
import io.sallyport.identity.UnusableKeyPair;
import io.sallyport.workload.svid.IdentityConfig;
import io.spiffe.bundle.x509bundle.X509Bundle;
import io.spiffe.exception.X509BundleException;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the files of {@code identity.files} say together. */
record SvidFiles(
        SpiffeId id, List<X509Certificate> chain, PrivateKey key, Map<TrustDomain, Set<X509Certificate>> bundles) {
    private static final String BUNDLE = "a PEM file with at least one certificate authority";

    static SvidFiles read(IdentityConfig.Files files) throws UnusableSvid {
        var svid = text("svid", files.svid());
        var key = text("key", files.key());
        var bundle = text("bundle", files.bundle());
        var bundles = new HashMap<TrustDomain, Set<X509Certificate>>();
        for (var federated : files.federated().entrySet()) {
            var under = "federated." + federated.getKey();
            var domain = TrustDomain.parse(federated.getKey());
            bundles.put(domain, authorities(domain, under, federated.getValue(), text(under, federated.getValue())));
        }
        var pair = pair(files, svid, key);
        var id = workloadOf(files, pair);
        bundles.put(id.getTrustDomain(), authorities(id.getTrustDomain(), "bundle", files.bundle(), bundle));
        return new SvidFiles(id, pair.chain(), pair.key(), bundles);
    }

    // Not UTF-8: a file that is no text at all is for the parser to refuse.
    private static String text(String key, Path file) throws UnusableSvid {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UnusableSvid(key, file, FileWatch.causeOf(e), "a PEM file that this process may read", true);
        }
    }

    private static KeyPairPem pair(IdentityConfig.Files files, String svid, String key) throws UnusableSvid {
        try {
            return KeyPairPem.parse(svid, key);
        } catch (UnusableKeyPair e) {
            throw switch (e.part()) {
                case CERTIFICATE -> new UnusableSvid("svid", files.svid(), e.found(), e.expected(), false);
                case KEY -> new UnusableSvid("key", files.key(), e.found(), e.expected(), false);
            };
        }
    }

    private static SpiffeId workloadOf(IdentityConfig.Files files, KeyPairPem pair) throws UnusableSvid {
        try {
            for (var signing : pair.chain().subList(1, pair.chain().size())) {
                if (signing.getBasicConstraints() == -1) {
                    throw new CertificateException("a certificate above the leaf is no certificate authority");
                }
            }
            return TrustBundles.workloadOf(pair.chain().getFirst());
        } catch (CertificateException e) {
            throw new UnusableSvid("svid", files.svid(), String.valueOf(e.getMessage()), "an X509-SVID", false);
        }
    }

    private static Set<X509Certificate> authorities(TrustDomain trustDomain, String key, Path file, String pem)
            throws UnusableSvid {
        try {
            return X509Bundle.parse(trustDomain, pem.getBytes(StandardCharsets.ISO_8859_1))
                    .getX509Authorities();
        } catch (X509BundleException | RuntimeException _) {
            throw new UnusableSvid(key, file, "no certificates that can be read", BUNDLE, false);
        }
    }

    /** Adds findings if the files are nothing that the gateway could prove itself with now. */
    static void check(IdentityConfig.Files files, Instant now, Findings.Place at) {
        var all = new LinkedHashMap<String, Path>();
        all.put("svid", files.svid());
        all.put("key", files.key());
        all.put("bundle", files.bundle());
        files.federated().forEach((domain, file) -> all.put("federated." + domain, file));
        boolean readable = true;
        for (var file : all.entrySet()) {
            try {
                text(file.getKey(), file.getValue());
            } catch (UnusableSvid e) {
                reject(e, at);
                readable = false;
            }
        }
        if (readable) {
            try {
                read(files).check(files.svid(), files.bundle(), now, at);
            } catch (UnusableSvid e) {
                reject(e, at);
            }
        }
    }

    private static void reject(UnusableSvid wrong, Findings.Place at) {
        at.child(wrong.key()).reject(wrong.value(), wrong.expected());
    }

    private void check(Path svid, Path bundle, Instant now, Findings.Place at) {
        var end = chain.getFirst().getNotAfter().toInstant();
        if (!now.isBefore(end)) {
            at.child("svid").reject("%s: expired at %s".formatted(svid, end), "an X509-SVID that is valid now");
            return;
        }
        if (TrustBundles.of(bundles).judge(chain, TrustBundles.Role.CLIENT, now)
                instanceof TrustBundles.Untrusted untrusted) {
            at.child("bundle")
                    .reject(
                            "%s: does not vouch for the SVID: %s".formatted(bundle, untrusted.why()),
                            "the bundle of the SVID's own trust domain");
        }
    }
}
