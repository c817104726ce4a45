// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import org.jspecify.annotations.Nullable;

/**
 * The facts of a client's TLS connection, read once per connection.
 *
 * @param protocol for example {@code TLSv1.3}
 * @param serverName the SNI that the client sent, in lower case
 * @param peer the client's certificate, if it showed one
 * @param peerRequired whether the listener takes nobody without one: then no request is taken from a client whose certificate has
 *     ceased to prove anything since
 * @param scope of the certificate that the client was shown; null if that is not one of host names
 */
public record TlsConnection(
        String protocol,
        @Nullable String serverName,
        @Nullable PeerCertificate peer,
        boolean peerRequired,
        @Nullable CertificateScope scope) {}
