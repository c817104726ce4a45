// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

/** In which protocol an upstream is spoken to, whatever its clients speak. */
public enum UpstreamProtocol {
    /** HTTP/1.1: one request at a time on a connection. */
    HTTP1,
    /** HTTP/2, which gRPC needs: many at a time on one. Agreed on in the TLS handshake, or simply begun with where there is none. */
    H2
}
