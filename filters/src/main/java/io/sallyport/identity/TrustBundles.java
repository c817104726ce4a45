// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
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
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The certificate authorities of each trust domain whose workloads can be verified, and the one judge of X509-SVIDs by them: of
 * upstreams and of callers. Immutable; equal if the authorities are.
 *
 * <p>An SVID is judged in this order: its certificate carries exactly one SPIFFE ID; the leaf is one (X509-SVID section 5.2); its
 * chain ends in the bundle of <em>that ID's own</em> trust domain (section 5.1). Whether that workload is welcome is somebody
 * else's question, and is asked afterwards.
 */
public final class TrustBundles {
    private static final int SAN_URI = 6;
    private static final int KEY_USAGE_DIGITAL_SIGNATURE = 0;
    private static final int KEY_USAGE_KEY_CERT_SIGN = 5;
    private static final int KEY_USAGE_CRL_SIGN = 6;
    private static final String EKU_ANY = "2.5.29.37.0";

    private final Map<TrustDomain, Set<X509Certificate>> authorities;
    private final Map<TrustDomain, Set<TrustAnchor>> anchors;

    /** Which side of a TLS connection shows the SVID. */
    public enum Role {
        SERVER("serverAuth", "1.3.6.1.5.5.7.3.1"),
        CLIENT("clientAuth", "1.3.6.1.5.5.7.3.2");

        private final String usage;
        private final String oid;

        Role(String usage, String oid) {
            this.usage = usage;
            this.oid = oid;
        }
    }

    /** What the bundles say of a certificate chain. */
    public sealed interface Judgement {}

    /**
     * The chain is an X509-SVID of that workload.
     *
     * @param expiresAt the last moment at which each certificate of the path is valid, the authority's included
     */
    public record Proven(SpiffeId id, Instant expiresAt) implements Judgement {}

    /**
     * It proves nothing.
     *
     * @param why for operators
     * @param claimed the ID that the certificate carries, if it carries one
     */
    public record Untrusted(
            String why,
            @Nullable SpiffeId claimed,
            @Nullable Throwable cause) implements Judgement {}

    private TrustBundles(Map<TrustDomain, Set<X509Certificate>> authorities) {
        this.authorities = authorities;
        this.anchors = authorities.entrySet().stream()
                .collect(Collectors.toUnmodifiableMap(
                        Map.Entry::getKey,
                        bundle -> bundle.getValue().stream()
                                .map(authority -> new TrustAnchor(authority, null))
                                .collect(Collectors.toUnmodifiableSet())));
    }

    public static TrustBundles of(Map<TrustDomain, Set<X509Certificate>> authorities) {
        return new TrustBundles(authorities.entrySet().stream()
                .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, entry -> Set.copyOf(entry.getValue()))));
    }

    /** Those that have a bundle, be it an empty one. */
    public Set<TrustDomain> trustDomains() {
        return authorities.keySet();
    }

    /** Empty if the trust domain has no bundle, or none of its authorities is left in it. */
    public Set<X509Certificate> authoritiesOf(TrustDomain trustDomain) {
        return authorities.getOrDefault(trustDomain, Set.of());
    }

    /** The trust domains of which an authority that {@code earlier} trusted is trusted no longer. */
    public Set<TrustDomain> distrustedSince(TrustBundles earlier) {
        return earlier.authorities.entrySet().stream()
                .filter(bundle -> !authoritiesOf(bundle.getKey()).containsAll(bundle.getValue()))
                .map(Map.Entry::getKey)
                .collect(Collectors.toUnmodifiableSet());
    }

    /**
     * Judges what a peer of a TLS connection has shown. Half a millisecond of arithmetic; no revocation is looked up.
     *
     * @param chain leaf first, as shown; may be empty
     */
    public Judgement judge(List<X509Certificate> chain, Role role, Instant now) {
        try {
            return prove(chain, role, now);
        } catch (NotProven e) {
            return e.judgement;
        }
    }

    /**
     * The workload that a certificate names, whoever signed it.
     *
     * @throws CertificateException if it is not a leaf that a workload can show on both sides of a connection; the message says why
     */
    public static SpiffeId workloadOf(X509Certificate leaf) throws CertificateException {
        try {
            var id = requireOneSpiffeId(leaf);
            for (var role : Role.values()) {
                requireLeaf(leaf, id, role);
            }
            return id;
        } catch (NotProven e) {
            throw new CertificateException(e.getMessage());
        }
    }

    private Proven prove(List<X509Certificate> chain, Role role, Instant now) throws NotProven {
        if (chain.isEmpty()) {
            throw new NotProven("no certificate", null, null);
        }
        var leaf = chain.getFirst();
        var id = requireOneSpiffeId(leaf);
        requireLeaf(leaf, id, role);
        return new Proven(id, requireChain(chain, id, now));
    }

    private static SpiffeId requireOneSpiffeId(X509Certificate leaf) throws NotProven {
        var uris = urisOf(leaf);
        if (uris.size() != 1) {
            throw new NotProven("%d URI names in the certificate (expected: 1)".formatted(uris.size()), null, null);
        }
        var id = StrictSpiffeId.parseWorkload(uris.getFirst());
        if (id == null) {
            throw new NotProven("the URI name in the certificate is no workload's SPIFFE ID", null, null);
        }
        return id;
    }

    private static void requireLeaf(X509Certificate leaf, SpiffeId id, Role role) throws NotProven {
        if (leaf.getBasicConstraints() != -1) {
            throw new NotProven("the leaf is a certificate authority", id, null);
        }
        var usage = leaf.getKeyUsage();
        if (usage == null
                || !usage[KEY_USAGE_DIGITAL_SIGNATURE]
                || usage[KEY_USAGE_KEY_CERT_SIGN]
                || usage[KEY_USAGE_CRL_SIGN]) {
            throw new NotProven(
                    "key usage of the leaf (expected: digitalSignature, neither keyCertSign nor cRLSign)", id, null);
        }
        var extended = extendedUsageOf(leaf, id);
        if (extended != null && !extended.contains(role.oid) && !extended.contains(EKU_ANY)) {
            // Section 4.4: it may be absent, but where it is there it names both uses.
            throw new NotProven(
                    "extended key usage of the leaf (expected: none, or with %s)".formatted(role.usage), id, null);
        }
    }

    private static @Nullable List<String> extendedUsageOf(X509Certificate leaf, SpiffeId id) throws NotProven {
        try {
            return leaf.getExtendedKeyUsage();
        } catch (CertificateParsingException e) {
            throw new NotProven("unreadable extended key usage", id, e);
        }
    }

    /** @return when the path ends to be valid */
    private Instant requireChain(List<X509Certificate> chain, SpiffeId id, Instant now) throws NotProven {
        var trusted = anchors.getOrDefault(id.getTrustDomain(), Set.of()).stream()
                .filter(anchor -> mayVouch(anchor.getTrustedCert(), now))
                .collect(Collectors.toUnmodifiableSet());
        if (trusted.isEmpty()) {
            throw new NotProven("no bundle with a valid authority for trust domain " + id.getTrustDomain(), id, null);
        }
        var path = pathOf(chain, trusted);
        if (path.isEmpty()) {
            throw new NotProven("the certificate is a certificate authority's own", id, null);
        }
        for (var signing : path.subList(1, path.size())) {
            requireOfTrustDomain(signing, id);
        }
        var authority = validate(path, trusted, id, now);
        requireOfTrustDomain(authority, id);
        return endOf(path, authority);
    }

    private static List<X509Certificate> pathOf(List<X509Certificate> chain, Set<TrustAnchor> trusted) {
        var path = new ArrayList<X509Certificate>();
        for (var certificate : chain) {
            if (trusted.stream().anyMatch(anchor -> anchor.getTrustedCert().equals(certificate))) {
                // An authority that the peer sends along is no part of the path to it.
                break;
            }
            path.add(certificate);
        }
        return path;
    }

    private static X509Certificate validate(
            List<X509Certificate> path, Set<TrustAnchor> trusted, SpiffeId id, Instant now) throws NotProven {
        try {
            var parameters = new PKIXParameters(trusted);
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(now));
            var result = CertPathValidator.getInstance("PKIX")
                    .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
            if (result instanceof PKIXCertPathValidatorResult pkix) {
                return pkix.getTrustAnchor().getTrustedCert();
            }
            throw new NotProven("PKIX named no authority", id, null);
        } catch (GeneralSecurityException e) {
            throw new NotProven(String.valueOf(e.getMessage()), id, e);
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
    private static void requireOfTrustDomain(X509Certificate signing, SpiffeId leafId) throws NotProven {
        for (var uri : urisOf(signing)) {
            var signingId = StrictSpiffeId.parse(uri);
            if (signingId == null
                    || !signingId.getPath().isEmpty()
                    || !signingId.getTrustDomain().equals(leafId.getTrustDomain())) {
                throw new NotProven(
                        "a signing certificate is not of trust domain " + leafId.getTrustDomain(), leafId, null);
            }
        }
    }

    private static List<String> urisOf(X509Certificate certificate) throws NotProven {
        Collection<List<?>> names;
        try {
            names = certificate.getSubjectAlternativeNames();
        } catch (CertificateParsingException e) {
            throw new NotProven("unreadable names in the certificate", null, e);
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

    private static Instant endOf(List<X509Certificate> path, X509Certificate authority) {
        var end = authority.getNotAfter().toInstant();
        for (var certificate : path) {
            var notAfter = certificate.getNotAfter().toInstant();
            end = notAfter.isBefore(end) ? notAfter : end;
        }
        return end;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || (other instanceof TrustBundles that && authorities.equals(that.authorities));
    }

    @Override
    public int hashCode() {
        return authorities.hashCode();
    }

    @Override
    public String toString() {
        return trustDomains().toString();
    }

    /** Carries an {@link Untrusted} out of the depth of a judgement, and no further. */
    private static final class NotProven extends Exception {
        private static final long serialVersionUID = 1L;

        private final transient Untrusted judgement;

        NotProven(String why, @Nullable SpiffeId claimed, @Nullable Throwable cause) {
            super(why, null, false, false);
            this.judgement = new Untrusted(why, claimed, cause);
        }
    }
}
