// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.sallyport.pipeline.CertificateNames;
import io.sallyport.pipeline.CertificateScope;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * The certificates of a listener, and which of them a client is shown: the first that covers the name in its SNI. Where none
 * covers the name, or there is no SNI, the first one: its names are no secret, and who asked for another has to end the handshake
 * by itself.
 */
public final class ServerCertificates extends X509ExtendedKeyManager {
    private final List<ServerCertificate> certificates;

    /** @param certificates at least one */
    ServerCertificates(List<ServerCertificate> certificates) {
        this.certificates = List.copyOf(certificates);
    }

    List<ServerCertificate> all() {
        return certificates;
    }

    /**
     * The names that a connection is for, by the certificate that was shown on it, and those of the others.
     *
     * @param serverName what the client asked for, in lower case; null if it asked for none
     */
    public CertificateScope scopeOf(@Nullable String serverName) {
        var shown = shownTo(serverName);
        List<CertificateNames> others = certificates.stream()
                .filter(Predicate.not(shown::equals))
                .map(ServerCertificate::names)
                .toList();
        return new CertificateScope(shown.names(), others);
    }

    private ServerCertificate shownTo(@Nullable String serverName) {
        for (var certificate : certificates) {
            if (serverName != null && certificate.names().cover(serverName)) {
                return certificate;
            }
        }
        return certificates.getFirst();
    }

    /** The name in the SNI of that session's client, in lower case; null if it sent none. */
    public static @Nullable String serverName(SSLSession session) {
        if (session instanceof ExtendedSSLSession extended) {
            for (var name : extended.getRequestedServerNames()) {
                if (name instanceof SNIHostName host) {
                    return host.getAsciiName().toLowerCase(Locale.ROOT);
                }
            }
        }
        return null;
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        var shown = shownTo(engine == null ? null : serverName(engine.getHandshakeSession()));
        // Asked for each kind of key in turn, whether the client knows it or not: no other certificate may answer.
        return shown.isOf(keyType) ? Integer.toString(certificates.indexOf(shown)) : null;
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return of(alias).chain().toArray(X509Certificate[]::new);
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return of(alias).key();
    }

    private ServerCertificate of(String alias) {
        return certificates.get(Integer.parseInt(alias));
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return chooseEngineServerAlias(keyType, issuers, null);
    }

    @Override
    public String[] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return IntStream.range(0, certificates.size())
                .filter(i -> certificates.get(i).isOf(keyType))
                .mapToObj(Integer::toString)
                .toArray(String[]::new);
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null;
    }

    @Override
    public String toString() {
        return certificates.toString();
    }
}
