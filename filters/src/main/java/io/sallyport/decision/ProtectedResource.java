// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decision;

import java.net.URI;
import java.util.List;

/**
 * What every challenge of a route says beside its own: the protected resource in the words of RFC 6750 and RFC 9728.
 *
 * @param realm the host
 * @param metadata where the host's metadata is; that of a path is the same with the path behind it
 * @param scope what the route requires, separated by spaces; empty if nothing is known
 */
public record ProtectedResource(String realm, String metadata, String scope) {
    /** The resource of one route on one host. */
    public static ProtectedResource of(String host, URI metadata, List<String> scopes) {
        return new ProtectedResource(host, metadata.toASCIIString(), String.join(" ", scopes));
    }

    /** @param path canonical; the root of a host is the host itself (RFC 9728 section 3.1) */
    String metadataOf(String path) {
        return path.equals("/") ? metadata : metadata + path;
    }
}
