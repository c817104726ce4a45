// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.netty.channel.Channel;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.AttributeKey;
import io.sallyport.pipeline.PeerCertificate;
import io.sallyport.pipeline.TlsConnection;
import io.sallyport.wire.tls.ServerCertificates;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * What does not change from one request of a connection to the next, read at its first.
 *
 * @param peer the transport peer, or who a trusted proxy's PROXY header says is behind it
 * @param tls null if the connection is in plaintext
 */
public record ConnectionFacts(
        InetSocketAddress peer, @Nullable TlsConnection tls) {
    private static final AttributeKey<ConnectionFacts> KEY = AttributeKey.valueOf(ConnectionFacts.class, "of");
    private static final AttributeKey<InetSocketAddress> CLIENT = AttributeKey.valueOf(ConnectionFacts.class, "client");
    private static final AttributeKey<ServerCertificates> CERTIFICATES =
            AttributeKey.valueOf(ConnectionFacts.class, "certificates");

    /** Says whose connection it is, where that is not the transport peer; before anything of it is a request. */
    public static void from(Channel connection, InetSocketAddress client) {
        connection.attr(CLIENT).set(client);
    }

    /**
     * Says which certificates a new connection is shown one of, before its handshake.
     *
     * @param certificates null if it is shown none of host names
     */
    public static void shown(Channel connection, @Nullable ServerCertificates certificates) {
        connection.attr(CERTIFICATES).set(certificates);
    }

    /**
     * The facts of the connection that this channel is, or on HTTP/2 is a stream of. On the channel's event loop, after the TLS
     * handshake.
     */
    public static ConnectionFacts of(Channel channel) {
        var connection = channel instanceof Http2StreamChannel stream ? stream.parent() : channel;
        var attribute = connection.attr(KEY);
        var facts = attribute.get();
        if (facts == null) {
            facts = new ConnectionFacts(clientOf(connection), tlsOf(connection));
            attribute.set(facts);
        }
        return facts;
    }

    /** Whose connection it is, as far as is known now. On its event loop. */
    public static InetSocketAddress clientOf(Channel connection) {
        var client = connection.attr(CLIENT).get();
        return client == null ? (InetSocketAddress) connection.remoteAddress() : client;
    }

    private static @Nullable TlsConnection tlsOf(Channel connection) {
        var handler = connection.pipeline().get(SslHandler.class);
        if (handler == null) {
            return null;
        }
        var engine = handler.engine();
        var session = engine.getSession();
        var serverName = ServerCertificates.serverName(session);
        var certificates = connection.attr(CERTIFICATES).get();
        return new TlsConnection(
                session.getProtocol(),
                serverName,
                peerCertificate(session),
                engine.getNeedClientAuth(),
                certificates == null ? null : certificates.scopeOf(serverName));
    }

    private static @Nullable PeerCertificate peerCertificate(SSLSession session) {
        try {
            List<X509Certificate> chain = Arrays.stream(session.getPeerCertificates())
                    .map(X509Certificate.class::cast)
                    .toList();
            return new PeerCertificate(chain);
        } catch (SSLPeerUnverifiedException _) {
            // The usual case: the client showed none.
            return null;
        }
    }
}
