// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.identity.TrustBundles;
import io.sallyport.workload.svid.WorkloadIdentity;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** The certificate authority of one trust domain, for tests: issues good X509-SVIDs, and every kind of wrong one. */
public final class TestCa {
    private static final AtomicLong SERIAL = new AtomicLong(1);

    private final TrustDomain trustDomain;
    private final X509Certificate certificate;
    private final PrivateKey key;
    private final List<X509Certificate> intermediates;

    private TestCa(
            TrustDomain trustDomain, X509Certificate certificate, PrivateKey key, List<X509Certificate> intermediates) {
        this.trustDomain = trustDomain;
        this.certificate = certificate;
        this.key = key;
        this.intermediates = intermediates;
    }

    /** A new root; two of one trust domain share no key. */
    public static TestCa of(String trustDomain) {
        return of(trustDomain, new Leaf());
    }

    /** One with that validity. */
    public static TestCa of(String trustDomain, Leaf validity) {
        var keys = newKeys();
        var name = new X500Name("CN=root of " + trustDomain);
        return new TestCa(
                TrustDomain.parse(trustDomain),
                sign(
                        name,
                        name,
                        keys,
                        keys.getPrivate(),
                        validity.ca()
                                .keyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign)
                                .uris("spiffe://" + trustDomain)),
                keys.getPrivate(),
                List.of());
    }

    /** An authority below this one, as SPIRE has them under an upstream authority. */
    public TestCa intermediate() {
        return intermediate(new Leaf().ca().keyUsage(KeyUsage.keyCertSign).uris(trustDomain.toIdString()));
    }

    /** An authority below this one that is wrong in some way. */
    public TestCa intermediate(Leaf profile) {
        var keys = newKeys();
        var below = sign(
                new X500Name(certificate.getSubjectX500Principal().getName()),
                new X500Name("CN=intermediate " + SERIAL.get()),
                keys,
                key,
                profile);
        var chain = new ArrayList<X509Certificate>();
        chain.add(below);
        chain.addAll(intermediates);
        return new TestCa(trustDomain, below, keys.getPrivate(), List.copyOf(chain));
    }

    /** A good SVID, valid for as long as anybody tests, with that path in the trust domain: {@code /ns/orders/sa/api}. */
    public Svid issue(String path) {
        return issue(new Leaf().uris(trustDomain.toIdString() + path));
    }

    public Svid issue(Leaf leaf) {
        return issue(leaf, newKeys());
    }

    /** One with a key of another kind. */
    public Svid issue(Leaf leaf, KeyPair keys) {
        var chain = new ArrayList<X509Certificate>();
        chain.add(sign(
                new X500Name(certificate.getSubjectX500Principal().getName()),
                new X500Name(leaf.commonName),
                keys,
                key,
                leaf));
        chain.addAll(intermediates);
        return new Svid(chain, keys.getPrivate());
    }

    public TrustDomain trustDomain() {
        return trustDomain;
    }

    public X509Certificate certificate() {
        return certificate;
    }

    public PrivateKey key() {
        return key;
    }

    /** What a workload of this trust domain trusts, if it trusts nobody else. */
    public Map<TrustDomain, Set<X509Certificate>> bundle() {
        return Map.of(trustDomain, Set.of(certificate));
    }

    private static KeyPair newKeys() {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static X509Certificate sign(
            X500Name issuer, X500Name subject, KeyPair keys, PrivateKey issuerKey, Leaf leaf) {
        try {
            var builder = new JcaX509v3CertificateBuilder(
                    issuer,
                    BigInteger.valueOf(SERIAL.getAndIncrement()),
                    Date.from(leaf.notBefore),
                    Date.from(leaf.notAfter),
                    subject,
                    keys.getPublic());
            leaf.addTo(builder);
            return new JcaX509CertificateConverter()
                    .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(issuerKey)));
        } catch (GeneralSecurityException | OperatorCreationException | CertIOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What stands in a certificate; a good leaf until it is told otherwise. */
    public static final class Leaf {
        private List<String> uris = List.of();
        private @Nullable String dnsName;
        private String commonName = "CN=workload";
        private boolean ca;
        private @Nullable Integer keyUsage = KeyUsage.digitalSignature;
        private @Nullable ExtendedKeyUsage extendedKeyUsage =
                new ExtendedKeyUsage(new KeyPurposeId[] {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth});
        private Instant notBefore = Instant.parse("2020-01-01T00:00:00Z");
        private Instant notAfter = Instant.parse("2090-01-01T00:00:00Z");

        public Leaf uris(String... uris) {
            this.uris = List.of(uris);
            return this;
        }

        public Leaf dnsName(String name) {
            this.dnsName = name;
            return this;
        }

        public Leaf commonName(String name) {
            this.commonName = "CN=" + name;
            return this;
        }

        public Leaf ca() {
            this.ca = true;
            this.extendedKeyUsage = null;
            return this;
        }

        public Leaf notCa() {
            this.ca = false;
            return this;
        }

        /** Bits of {@link KeyUsage}; null for none. */
        public Leaf keyUsage(@Nullable Integer bits) {
            this.keyUsage = bits;
            return this;
        }

        public Leaf extendedKeyUsage(KeyPurposeId... purposes) {
            this.extendedKeyUsage = purposes.length == 0 ? null : new ExtendedKeyUsage(purposes);
            return this;
        }

        public Leaf validFrom(Instant notBefore) {
            this.notBefore = notBefore;
            return this;
        }

        public Leaf validUntil(Instant notAfter) {
            this.notAfter = notAfter;
            return this;
        }

        private void addTo(JcaX509v3CertificateBuilder builder) throws CertIOException {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(ca));
            if (keyUsage != null) {
                builder.addExtension(Extension.keyUsage, true, new KeyUsage(keyUsage));
            }
            if (extendedKeyUsage != null) {
                builder.addExtension(Extension.extendedKeyUsage, false, extendedKeyUsage);
            }
            var names = new ArrayList<GeneralName>();
            uris.forEach(uri -> names.add(new GeneralName(GeneralName.uniformResourceIdentifier, uri)));
            if (dnsName != null) {
                names.add(new GeneralName(GeneralName.dNSName, dnsName));
            }
            if (!names.isEmpty()) {
                builder.addExtension(
                        Extension.subjectAlternativeName, false, new GeneralNames(names.toArray(GeneralName[]::new)));
            }
        }
    }

    /**
     * An X509-SVID with its key.
     *
     * @param chain leaf first, without the root
     */
    public record Svid(List<X509Certificate> chain, PrivateKey key) {
        public Svid {
            chain = List.copyOf(chain);
        }

        public X509Certificate leaf() {
            return chain.getFirst();
        }

        public X509Certificate[] chainArray() {
            return chain.toArray(X509Certificate[]::new);
        }

        /** The gateway's own identity made of it. */
        public WorkloadIdentity identity(Map<TrustDomain, Set<X509Certificate>> bundles, long generation) {
            try {
                var uri = leaf().getSubjectAlternativeNames().iterator().next().get(1);
                return new WorkloadIdentity(
                        SpiffeId.parse(String.valueOf(uri)), chain, key, TrustBundles.of(bundles), generation);
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        /** Writes it as a renewer of PEM files would. */
        public void writeTo(Path svidFile, Path keyFile) {
            write(keyFile, pem("PRIVATE KEY", key.getEncoded()));
            write(svidFile, pemOf(chain));
        }
    }

    /** Certificates as one PEM file. */
    public static String pemOf(List<X509Certificate> certificates) {
        var pem = new StringBuilder();
        for (var certificate : certificates) {
            try {
                pem.append(pem("CERTIFICATE", certificate.getEncoded()));
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }
        return pem.toString();
    }

    static void write(Path file, String content) {
        try {
            Files.writeString(file, content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One section of a PEM file. */
    public static String pem(String type, byte[] der) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(type, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der), type);
    }
}
