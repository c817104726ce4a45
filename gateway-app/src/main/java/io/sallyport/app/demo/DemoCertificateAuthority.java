// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * One root and what it signs. The demo has two of them, as a real place has: one that clients know from their browser, and
 * one that is the trust domain's. A certificate of the one proves nothing under the other.
 */
public final class DemoCertificateAuthority {
    private static final Duration ROOT_LIFETIME = Duration.ofDays(2);

    /** Before now, so that a clock that is a little behind takes the certificate too. */
    private static final Duration BACKDATED = Duration.ofMinutes(1);

    private final X500Name name;
    private final KeyPair keys;
    private final X509Certificate root;
    private final InstantSource time;
    private final SecureRandom random = new SecureRandom();

    private DemoCertificateAuthority(String name, GeneralNames alternativeNames, InstantSource time) {
        this.name = new X500Name("O=Sallyport demo,CN=" + name);
        this.time = time;
        this.keys = newKeys();
        this.root = sign(this.name, keys, ROOT_LIFETIME, (builder, extensions) -> {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            builder.addExtension(
                    Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(keys.getPublic()));
            builder.addExtension(Extension.subjectAlternativeName, false, alternativeNames);
        });
    }

    /** The root of a trust domain: issues X509-SVIDs, and carries the trust domain's ID (X509-SVID section 3.2). */
    public static DemoCertificateAuthority ofTrustDomain(TrustDomain trustDomain, InstantSource time) {
        return new DemoCertificateAuthority(
                trustDomain.getName(), new GeneralNames(uri(trustDomain.toIdString())), time);
    }

    /** The root that clients trust for names of servers. */
    public static DemoCertificateAuthority ofServers(String name, InstantSource time) {
        return new DemoCertificateAuthority(name, new GeneralNames(dns("ca.demo.invalid")), time);
    }

    public X509Certificate root() {
        return root;
    }

    /** An X509-SVID under the leaf profile of X509-SVID section 4: one URI name, no CA, digital signature only. */
    public Credentials svid(SpiffeId id, Duration lifetime) {
        return leaf(new X500Name("O=Sallyport demo"), new GeneralNames(uri(id.toString())), lifetime);
    }

    /** A certificate for a server by its DNS names. */
    public Credentials server(List<String> names, Duration lifetime) {
        var alternativeNames = names.stream().map(DemoCertificateAuthority::dns).toArray(GeneralName[]::new);
        return leaf(new X500Name("CN=" + names.getFirst()), new GeneralNames(alternativeNames), lifetime);
    }

    private Credentials leaf(X500Name subject, GeneralNames alternativeNames, Duration lifetime) {
        var leafKeys = newKeys();
        var certificate = sign(subject, leafKeys, lifetime, (builder, extensions) -> {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
            }));
            builder.addExtension(
                    Extension.authorityKeyIdentifier, false, extensions.createAuthorityKeyIdentifier(keys.getPublic()));
            builder.addExtension(Extension.subjectAlternativeName, false, alternativeNames);
        });
        return new Credentials(leafKeys.getPrivate(), List.of(certificate));
    }

    private X509Certificate sign(X500Name subject, KeyPair subjectKeys, Duration lifetime, Profile profile) {
        var now = time.instant();
        try {
            var builder = new JcaX509v3CertificateBuilder(
                    name,
                    new BigInteger(127, random).add(BigInteger.ONE),
                    Date.from(now.minus(BACKDATED)),
                    Date.from(now.plus(lifetime)),
                    subject,
                    subjectKeys.getPublic());
            profile.addTo(builder, new JcaX509ExtensionUtils());
            var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate());
            return new JcaX509CertificateConverter().getCertificate(builder.build(signer));
        } catch (GeneralSecurityException | OperatorCreationException | CertIOException e) {
            throw new IllegalStateException("this JDK cannot make an ECDSA certificate", e);
        }
    }

    private static KeyPair newKeys() {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK cannot make P-256 keys", e);
        }
    }

    private static GeneralName uri(String uri) {
        return new GeneralName(GeneralName.uniformResourceIdentifier, uri);
    }

    private static GeneralName dns(String name) {
        return new GeneralName(GeneralName.dNSName, name);
    }

    @FunctionalInterface
    private interface Profile {
        void addTo(X509v3CertificateBuilder builder, JcaX509ExtensionUtils extensions) throws CertIOException;
    }
}
