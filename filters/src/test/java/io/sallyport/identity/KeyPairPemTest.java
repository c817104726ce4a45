// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Leaf;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.util.List;
import java.util.stream.Stream;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every form that tools write keys and certificates in, and what is said of one that cannot be used. */
final class KeyPairPemTest {
    private static final TestCa CA = TestCa.of("keys.test");

    static Stream<Arguments> forms() throws GeneralSecurityException, IOException {
        var rsa = keys("RSA");
        var ec = keys("EC");
        var ed25519 = keys("Ed25519");
        return Stream.of(
                Arguments.of("RSA, PKCS #8", rsa, TestCa.pem("PRIVATE KEY", encoded(rsa))),
                Arguments.of("RSA, PKCS #1", rsa, pkcs1(rsa)),
                Arguments.of("EC, PKCS #8", ec, TestCa.pem("PRIVATE KEY", encoded(ec))),
                Arguments.of("EC, SEC 1 as OpenSSL writes it", ec, ecParameters() + sec1(ec, true)),
                Arguments.of("EC, SEC 1 that names its curve", ec, sec1(ec, true)),
                Arguments.of("EC, SEC 1 behind its curve", ec, ecParameters() + sec1(ec, false)),
                Arguments.of("EC, SEC 1 without a curve", ec, sec1(ec, false)),
                Arguments.of("Ed25519, PKCS #8", ed25519, TestCa.pem("PRIVATE KEY", encoded(ed25519))),
                Arguments.of("with text around it", ec, "the key of api:\n" + TestCa.pem("PRIVATE KEY", encoded(ec))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("forms")
    void a_key_loads_in_each_form_that_it_is_written_in(String form, KeyPair keys, String pem) throws Exception {
        var svid = CA.issue(new Leaf().dnsName("api.example.org"), keys);

        // Whoever reads the key has it sign for the certificate: one that is read wrongly is another certificate's.
        assertThat(KeyPairPem.parse(TestCa.pemOf(svid.chain()), pem).chain()).isEqualTo(svid.chain());
    }

    @Test
    void a_chain_in_its_order_loads_with_its_root_or_without() throws Exception {
        var issuer = CA.intermediate().intermediate();
        var svid = issuer.issue("/api");
        var withRoot = Stream.concat(svid.chain().stream(), Stream.of(CA.certificate()))
                .toList();

        assertThat(parse(svid.chain(), svid.key()).chain()).isEqualTo(svid.chain());
        assertThat(parse(withRoot, svid.key()).chain()).isEqualTo(withRoot);
    }

    @Test
    void a_chain_in_another_order_is_refused_with_the_place_of_the_first_that_is_wrong() {
        var svid = CA.intermediate().intermediate().issue("/api");
        var swapped =
                List.of(svid.chain().get(0), svid.chain().get(2), svid.chain().get(1));

        assertThatThrownBy(() -> parse(swapped, svid.key()))
                .hasMessageContaining("certificate 2 of 3 has not signed the one before it");
    }

    @Test
    void a_leaf_that_is_not_first_is_found_by_its_key() {
        var svid = CA.intermediate().issue("/api");

        assertThatThrownBy(() -> parse(svid.chain().reversed(), svid.key()))
                .isInstanceOfSatisfying(
                        UnusableKeyPair.class, e -> assertThat(e.part()).isEqualTo(UnusableKeyPair.Part.CERTIFICATE))
                .hasMessageContaining("the key is that of certificate 2 of 2");
    }

    @Test
    void the_key_of_another_certificate_is_refused() {
        assertThatThrownBy(
                        () -> parse(CA.issue("/api").chain(), CA.issue("/api").key()))
                .isInstanceOfSatisfying(
                        UnusableKeyPair.class, e -> assertThat(e.part()).isEqualTo(UnusableKeyPair.Part.KEY))
                .hasMessageStartingWith("the key of another certificate");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIIB\n-----END RSA PRIVATE KEY-----",
                "-----BEGIN OPENSSH PRIVATE KEY-----\nMIIB\n-----END OPENSSH PRIVATE KEY-----",
                "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
                "-----BEGIN EC PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----",
                "-----BEGIN EC PRIVATE KEY-----\n\n-----END EC PRIVATE KEY-----"
            })
    void what_is_no_key_that_can_be_read_is_refused_without_a_word_of_it(String pem) {
        var svid = CA.issue("/api");

        assertThatThrownBy(() -> KeyPairPem.parse(TestCa.pemOf(svid.chain()), pem))
                .isInstanceOf(UnusableKeyPair.class)
                .hasMessageEndingWith(
                        "(expected: a PEM file with a private key that is not encrypted: PKCS #8, PKCS #1 or SEC 1; RSA, EC or"
                                + " Ed25519)")
                .hasMessageNotContaining("MIIB");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "nonsense"})
    void what_is_no_certificate_is_refused(String pem) {
        assertThatThrownBy(() -> KeyPairPem.parse(pem, ""))
                .isInstanceOfSatisfying(
                        UnusableKeyPair.class, e -> assertThat(e.part()).isEqualTo(UnusableKeyPair.Part.CERTIFICATE));
    }

    private static KeyPairPem parse(List<java.security.cert.X509Certificate> chain, PrivateKey key)
            throws UnusableKeyPair {
        return KeyPairPem.parse(TestCa.pemOf(chain), TestCa.pem("PRIVATE KEY", key.getEncoded()));
    }

    private static KeyPair keys(String algorithm) throws GeneralSecurityException {
        var generator = KeyPairGenerator.getInstance(algorithm);
        if (algorithm.equals("EC")) {
            generator.initialize(new ECGenParameterSpec("secp384r1"));
        }
        return generator.generateKeyPair();
    }

    private static byte[] encoded(KeyPair keys) {
        return keys.getPrivate().getEncoded();
    }

    private static String pkcs1(KeyPair keys) throws IOException {
        var pkcs1 = PrivateKeyInfo.getInstance(encoded(keys)).parsePrivateKey();
        return TestCa.pem("RSA PRIVATE KEY", pkcs1.toASN1Primitive().getEncoded());
    }

    private static ASN1ObjectIdentifier curve() {
        return new ASN1ObjectIdentifier("1.3.132.0.34");
    }

    private static String ecParameters() throws IOException {
        return TestCa.pem("EC PARAMETERS", curve().getEncoded());
    }

    private static String sec1(KeyPair keys, boolean withCurve) throws IOException {
        var secret = ((java.security.interfaces.ECPrivateKey) keys.getPrivate()).getS();
        var key = withCurve ? new ECPrivateKey(384, secret, curve()) : new ECPrivateKey(384, secret);
        return TestCa.pem("EC PRIVATE KEY", key.getEncoded());
    }
}
