// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.PKIXCertPathValidatorResult;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Verifies the peer of one pin, in this order: its certificate carries exactly one SPIFFE ID; the leaf is one (X509-SVID section
 * 5.2); its chain ends in the bundle of <em>that ID's own</em> trust domain (section 5.1); and only then, the ID is expected. So
 * {@code identity_mismatch} is only ever said of an identity that was proven.
 *
 * <p>No host name is checked: an SVID names a workload, not a host. Being an {@link X509ExtendedTrustManager} keeps the JDK
 * from wrapping it in one that checks them.
 */
final class PinnedTrustManager extends X509ExtendedTrustManager {
    private static final int SAN_URI = 6;
    private static final int KEY_USAGE_DIGITAL_SIGNATURE = 0;
    private static final int KEY_USAGE_KEY_CERT_SIGN = 5;
    private static final int KEY_USAGE_CRL_SIGN = 6;
    private static final String EKU_SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    private static final String EKU_ANY = "2.5.29.37.0";
    private static final X509Certificate[] NO_ISSUERS = {};

    private final Map<TrustDomain, Set<TrustAnchor>> anchors;
    private final ExpectedIds expected;
    private final InstantSource clock;

    /** @param bundles the certificate authorities by trust domain; they are fixed for this trust manager's life */
    PinnedTrustManager(Map<TrustDomain, Set<X509Certificate>> bundles, ExpectedIds expected, InstantSource clock) {
        this.anchors = bundles.entrySet().stream()
                .collect(Collectors.toUnmodifiableMap(
                        Map.Entry::getKey,
                        bundle -> bundle.getValue().stream()
                                .map(authority -> new TrustAnchor(authority, null))
                                .collect(Collectors.toUnmodifiableSet())));
        this.expected = expected;
        this.clock = clock;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws PeerRefused {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) throws PeerRefused {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws PeerRefused {
        if (chain.length == 0) {
            throw PeerRefused.untrusted("no certificate", null, null);
        }
        var leaf = chain[0];
        var id = requireOneSpiffeId(leaf);
        requireLeaf(leaf, id);
        requireChain(chain, id);
        if (!expected.match(id)) {
            throw PeerRefused.mismatch(expected, id);
        }
    }

    private static SpiffeId requireOneSpiffeId(X509Certificate leaf) throws PeerRefused {
        var uris = urisOf(leaf);
        if (uris.size() != 1) {
            throw PeerRefused.untrusted(
                    "%d URI names in the certificate (expected: 1)".formatted(uris.size()), null, null);
        }
        var id = StrictSpiffeId.parseWorkload(uris.getFirst());
        if (id == null) {
            throw PeerRefused.untrusted("the URI name in the certificate is no workload's SPIFFE ID", null, null);
        }
        return id;
    }

    private void requireChain(X509Certificate[] chain, SpiffeId id) throws PeerRefused {
        var now = clock.instant();
        var trusted = anchors.getOrDefault(id.getTrustDomain(), Set.of()).stream()
                .filter(anchor -> mayVouch(anchor.getTrustedCert(), now))
                .collect(Collectors.toUnmodifiableSet());
        if (trusted.isEmpty()) {
            throw PeerRefused.untrusted(
                    "no bundle with a valid authority for trust domain " + id.getTrustDomain(), id, null);
        }
        try {
            var path = new ArrayList<X509Certificate>();
            for (var certificate : chain) {
                if (trusted.stream().anyMatch(anchor -> anchor.getTrustedCert().equals(certificate))) {
                    // An authority that the peer sends along is no part of the path to it.
                    break;
                }
                path.add(certificate);
            }
            if (path.isEmpty()) {
                throw PeerRefused.untrusted("the certificate is a certificate authority's own", id, null);
            }
            for (var signing : path.subList(1, path.size())) {
                requireOfTrustDomain(signing, id);
            }
            var parameters = new PKIXParameters(trusted);
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(now));
            var result = CertPathValidator.getInstance("PKIX")
                    .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
            if (result instanceof PKIXCertPathValidatorResult pkix) {
                requireOfTrustDomain(pkix.getTrustAnchor().getTrustedCert(), id);
            }
        } catch (PeerRefused e) {
            throw e;
        } catch (GeneralSecurityException e) {
            throw PeerRefused.untrusted(String.valueOf(e.getMessage()), id, e);
        }
    }

    // PKIX asks of an anchor nothing but its key: one that has expired, or was never an authority, would do.
    private static boolean mayVouch(X509Certificate authority, Instant now) {
        var usage = authority.getKeyUsage();
        return authority.getBasicConstraints() != -1
                && (usage == null || usage[KEY_USAGE_KEY_CERT_SIGN])
                && !now.isBefore(authority.getNotBefore().toInstant())
                && !now.isAfter(authority.getNotAfter().toInstant());
    }

    // X509-SVID section 3.2: an authority of one trust domain has no say over another's workloads.
    private static void requireOfTrustDomain(X509Certificate signing, SpiffeId leafId) throws PeerRefused {
        for (var uri : urisOf(signing)) {
            var signingId = StrictSpiffeId.parse(uri);
            if (signingId == null
                    || !signingId.getPath().isEmpty()
                    || !signingId.getTrustDomain().equals(leafId.getTrustDomain())) {
                throw PeerRefused.untrusted(
                        "a signing certificate is not of trust domain " + leafId.getTrustDomain(), leafId, null);
            }
        }
    }

    private static void requireLeaf(X509Certificate leaf, SpiffeId id) throws PeerRefused {
        if (leaf.getBasicConstraints() != -1) {
            throw PeerRefused.untrusted("the leaf is a certificate authority", id, null);
        }
        var usage = leaf.getKeyUsage();
        if (usage == null
                || !usage[KEY_USAGE_DIGITAL_SIGNATURE]
                || usage[KEY_USAGE_KEY_CERT_SIGN]
                || usage[KEY_USAGE_CRL_SIGN]) {
            throw PeerRefused.untrusted(
                    "key usage of the leaf (expected: digitalSignature, neither keyCertSign nor cRLSign)", id, null);
        }
        var extended = extendedUsageOf(leaf, id);
        if (extended != null && !extended.contains(EKU_SERVER_AUTH) && !extended.contains(EKU_ANY)) {
            // Section 4.4: it may be absent, but where it is there it names both uses.
            throw PeerRefused.untrusted(
                    "extended key usage of the leaf (expected: none, or with serverAuth)", id, null);
        }
    }

    private static @Nullable List<String> extendedUsageOf(X509Certificate leaf, SpiffeId id) throws PeerRefused {
        try {
            return leaf.getExtendedKeyUsage();
        } catch (CertificateParsingException e) {
            throw PeerRefused.untrusted("unreadable extended key usage", id, e);
        }
    }

    private static List<String> urisOf(X509Certificate certificate) throws PeerRefused {
        Collection<List<?>> names;
        try {
            names = certificate.getSubjectAlternativeNames();
        } catch (CertificateParsingException e) {
            throw PeerRefused.untrusted("unreadable names in the certificate", null, e);
        }
        var uris = new ArrayList<String>();
        if (names != null) {
            for (var name : names) {
                if (name.get(0) instanceof Integer type && type == SAN_URI) {
                    uris.add(String.valueOf(name.get(1)));
                }
            }
        }
        return uris;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("this side of the gateway serves no clients");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return NO_ISSUERS;
    }
}
