// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.spiffe.spiffeid.SpiffeId;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** The TLS settings of the demo's own servers. */
final class DemoTls {
    private static final String ALIAS = "demo";
    private static final char[] NO_PASSWORD = {};

    /** The type of a URI among a certificate's alternative names (RFC 5280 section 4.2.1.6). */
    private static final int URI_NAME = 6;

    private DemoTls() {}

    /** A server that browsers and tools can talk to. */
    static SslContext server(Credentials credentials) {
        try {
            return SslContextBuilder.forServer(credentials.key(), credentials.chain())
                    .sslProvider(SslProvider.JDK)
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("TLS cannot be set up with a certificate that was just made", e);
        }
    }

    /** A server that takes one caller only, and judges it and shows itself by what is current when a connection is made. */
    static SslContext workload(Supplier<Credentials> svid, Supplier<List<X509Certificate>> roots, SpiffeId onlyCaller) {
        try {
            return SslContextBuilder.forServer(new CurrentSvid(svid))
                    .sslProvider(SslProvider.JDK)
                    .clientAuth(ClientAuth.REQUIRE)
                    .trustManager(new OnlyCaller(roots, onlyCaller))
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("TLS cannot be set up with a certificate that was just made", e);
        }
    }

    /** The SPIFFE ID in a certificate, or null if it is no X509-SVID. */
    static @Nullable SpiffeId spiffeId(X509Certificate certificate) throws CertificateParsingException {
        var names = certificate.getSubjectAlternativeNames();
        if (names == null) {
            return null;
        }
        List<String> uris = names.stream()
                .filter(name -> name.getFirst().equals(URI_NAME))
                .map(name -> String.valueOf(name.get(1)))
                .toList();
        return uris.size() == 1 ? SpiffeId.parse(uris.getFirst()) : null;
    }

    static KeyStore trustStore(Collection<X509Certificate> roots) {
        try {
            var store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            var index = 0;
            for (var root : roots) {
                store.setCertificateEntry("root-" + index++, root);
            }
            return store;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("this JDK cannot hold certificates", e);
        }
    }

    /** What a client shows who is that. */
    static KeyManager[] keys(Credentials credentials) {
        try {
            var store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            store.setKeyEntry(
                    ALIAS, credentials.key(), NO_PASSWORD, credentials.chain().toArray(X509Certificate[]::new));
            var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, NO_PASSWORD);
            return factory.getKeyManagers();
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("this JDK cannot hold a certificate and its key", e);
        }
    }

    static X509TrustManager pkix(X509Certificate root) {
        return pkix(List.of(root));
    }

    private static X509TrustManager pkix(List<X509Certificate> roots) {
        try {
            var factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(trustStore(roots));
            for (var manager : factory.getTrustManagers()) {
                if (manager instanceof X509TrustManager x509) {
                    return x509;
                }
            }
            throw new IllegalStateException("this JDK has no X.509 trust manager");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no PKIX", e);
        }
    }

    /** Chain first, then the identity: the order of X509-SVID section 5. */
    private static final class OnlyCaller extends X509ExtendedTrustManager {
        private final Supplier<List<X509Certificate>> roots;
        private final SpiffeId onlyCaller;

        OnlyCaller(Supplier<List<X509Certificate>> roots, SpiffeId onlyCaller) {
            this.roots = roots;
            this.onlyCaller = onlyCaller;
        }

        @Override
        public void checkClientTrusted(X509Certificate[] presented, String authType) throws CertificateException {
            // Without the engine: with it the JDK would look for a host name, which an SVID does not have.
            pkix(roots.get()).checkClientTrusted(presented, authType);
            var actual = spiffeId(presented[0]);
            if (!onlyCaller.equals(actual)) {
                throw new CertificateException("caller: %s (expected: %s)".formatted(actual, onlyCaller));
            }
        }

        @Override
        public void checkClientTrusted(X509Certificate[] presented, String authType, Socket socket)
                throws CertificateException {
            checkClientTrusted(presented, authType);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] presented, String authType, SSLEngine engine)
                throws CertificateException {
            checkClientTrusted(presented, authType);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] presented, String authType) throws CertificateException {
            throw new CertificateException("an upstream of the demo calls nobody");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] presented, String authType, Socket socket)
                throws CertificateException {
            checkServerTrusted(presented, authType);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] presented, String authType, SSLEngine engine)
                throws CertificateException {
            checkServerTrusted(presented, authType);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return roots.get().toArray(X509Certificate[]::new);
        }
    }

    /** Asked once for each handshake, so a rotated SVID is used from the next connection on. */
    private static final class CurrentSvid extends X509ExtendedKeyManager {
        private final Supplier<Credentials> svid;

        CurrentSvid(Supplier<Credentials> svid) {
            this.svid = svid;
        }

        @Override
        public String chooseEngineServerAlias(
                String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return ALIAS;
        }

        @Override
        public String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return ALIAS;
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return svid.get().chain().toArray(X509Certificate[]::new);
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return svid.get().key();
        }

        @Override
        public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
            return null;
        }

        @Override
        public @Nullable String chooseClientAlias(
                String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return null;
        }

        @Override
        public String[] getServerAliases(String keyType, Principal @Nullable [] issuers) {
            return new String[] {ALIAS};
        }
    }
}
