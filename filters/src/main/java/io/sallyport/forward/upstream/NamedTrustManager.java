// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.identity.PeerTrustManager;
import io.sallyport.identity.TrustBundles;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateException;
import java.security.cert.CertificateParsingException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Verifies an upstream by its DNS name. In this order: the chain ends in an authority that the route names; the leaf is a server's;
 * one of its DNS names is the expected one (RFC 9525, the common name is never looked at); its key is one of those that the route
 * pins. So {@code name_mismatch} is only ever said of a name that an authority vouches for.
 */
final class NamedTrustManager extends PeerTrustManager {
    private static final int SAN_DNS = 2;
    private static final int KEY_USAGE_DIGITAL_SIGNATURE = 0;
    private static final int KEY_USAGE_KEY_CERT_SIGN = 5;
    private static final Set<String> SERVER = Set.of("1.3.6.1.5.5.7.3.1", "2.5.29.37.0");

    /** An upstream could make the search for a path long. */
    private static final int LONGEST_CHAIN = 10;

    private static final int MOST_NAMES_SHOWN = 5;
    private static final Pattern PRINTABLE_NAME = Pattern.compile("[A-Za-z0-9.*_-]{1,64}");

    private final PeerProof.Named expected;
    private final CandidatePin candidate;
    private final InstantSource clock;

    NamedTrustManager(PeerProof.Named expected, CandidatePin candidate, InstantSource clock) {
        super(TrustBundles.Role.SERVER);
        this.expected = expected;
        this.candidate = candidate;
        this.clock = clock;
    }

    @Override
    protected void check(List<X509Certificate> chain) throws PeerRefused {
        if (chain.isEmpty()) {
            throw untrusted("no certificate", null);
        }
        var now = clock.instant();
        var leaf = chain.getFirst();
        requireChain(chain, now);
        requireServer(leaf);
        requireName(leaf);
        if (!expected.spki().isEmpty() && !expected.spki().contains(SpkiPin.of(leaf.getPublicKey()))) {
            throw untrusted("the public key is none of upstream.tls.spki", null);
        }
        candidate.judge(chain, now);
    }

    private PeerRefused untrusted(String why, @Nullable GeneralSecurityException cause) {
        return PeerRefused.untrusted(why, expected.serverName(), cause);
    }

    private void requireChain(List<X509Certificate> chain, Instant now) throws PeerRefused {
        if (chain.size() > LONGEST_CHAIN) {
            throw untrusted("a chain of more than %d certificates".formatted(LONGEST_CHAIN), null);
        }
        var date = Date.from(now);
        try {
            chain.getFirst().checkValidity(date);
        } catch (CertificateException e) {
            throw untrusted(
                    "the certificate is valid from %s to %s"
                            .formatted(
                                    chain.getFirst().getNotBefore().toInstant(),
                                    chain.getFirst().getNotAfter().toInstant()),
                    e);
        }
        // PKIX does not look whether an anchor has expired.
        var valid = expected.files().content().authorities().stream()
                .filter(anchor -> isValid(anchor, now))
                .collect(Collectors.toUnmodifiableSet());
        if (valid.isEmpty()) {
            throw untrusted("none of the authorities in %s is valid now".formatted(expected.files()), null);
        }
        try {
            var leaf = new X509CertSelector();
            leaf.setCertificate(chain.getFirst());
            var parameters = new PKIXBuilderParameters(valid, leaf);
            parameters.setRevocationEnabled(false);
            parameters.setDate(date);
            // Servers send chains out of order, and certificates that do not belong to them.
            parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(chain)));
            CertPathBuilder.getInstance("PKIX").build(parameters);
        } catch (GeneralSecurityException e) {
            throw untrusted("no path from the certificate to an authority of upstream.tls.ca", e);
        }
    }

    private static boolean isValid(TrustAnchor anchor, Instant now) {
        var authority = anchor.getTrustedCert();
        return !now.isBefore(authority.getNotBefore().toInstant())
                && !now.isAfter(authority.getNotAfter().toInstant());
    }

    private void requireServer(X509Certificate leaf) throws PeerRefused {
        if (leaf.getBasicConstraints() != -1) {
            throw untrusted("the leaf is a certificate authority", null);
        }
        var usage = leaf.getKeyUsage();
        if (usage != null && (!usage[KEY_USAGE_DIGITAL_SIGNATURE] || usage[KEY_USAGE_KEY_CERT_SIGN])) {
            throw untrusted("key usage of the leaf (expected: none, or digitalSignature without keyCertSign)", null);
        }
        try {
            var extended = leaf.getExtendedKeyUsage();
            if (extended != null && extended.stream().noneMatch(SERVER::contains)) {
                throw untrusted("extended key usage of the leaf (expected: none, or with serverAuth)", null);
            }
        } catch (CertificateParsingException e) {
            throw untrusted("unreadable extended key usage", e);
        }
    }

    private void requireName(X509Certificate leaf) throws PeerRefused {
        var names = namesOf(leaf);
        for (var name : names) {
            if (isExpected(name.toLowerCase(Locale.ROOT))) {
                return;
            }
        }
        throw PeerRefused.nameMismatch(expected.serverName(), shown(names));
    }

    private boolean isExpected(String name) {
        var serverName = expected.serverName();
        if (name.equals(serverName)) {
            return true;
        }
        // RFC 9525 section 6.3: the whole of the left-most label, for exactly one label.
        int dot = serverName.indexOf('.');
        return expected.wildcard()
                && dot > 0
                && name.length() == serverName.length() - dot + 1
                && name.charAt(0) == '*'
                && name.endsWith(serverName.substring(dot));
    }

    private List<String> namesOf(X509Certificate leaf) throws PeerRefused {
        var names = new ArrayList<String>();
        try {
            var all = leaf.getSubjectAlternativeNames();
            if (all != null) {
                for (var name : all) {
                    if (name.get(0) instanceof Integer type && type == SAN_DNS) {
                        names.add(String.valueOf(name.get(1)));
                    }
                }
            }
            return names;
        } catch (CertificateParsingException e) {
            throw untrusted("unreadable names in the certificate", e);
        }
    }

    // An upstream chose them, and a record shows them.
    private static String shown(List<String> names) {
        if (names.isEmpty()) {
            return "no DNS name";
        }
        var shown = names.stream()
                .limit(MOST_NAMES_SHOWN)
                .map(name -> PRINTABLE_NAME.matcher(name).matches() ? name : "(unprintable)")
                .collect(Collectors.joining(", "));
        return names.size() > MOST_NAMES_SHOWN
                ? "%s and %d more".formatted(shown, names.size() - MOST_NAMES_SHOWN)
                : shown;
    }
}
