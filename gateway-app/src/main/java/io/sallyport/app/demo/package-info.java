// SPDX-License-Identifier: Apache-2.0
/**
 * What the gateway needs around it, small enough to live in one process and real enough to prove something: an OIDC issuer
 * over HTTPS, a certificate authority, a SPIFFE Workload API on a Unix socket, and upstreams that speak mutual TLS. The
 * gateway meets all of it over the wire, as it would meet an identity provider, SPIRE and a service; nothing here is called
 * by it, and nothing of it is shortcut.
 *
 * <p>For {@code sallyport demo} and the end-to-end tests. Keys are made at each start and never leave the temporary
 * directory; the client secrets are public on purpose. Nothing here belongs on a network.
 *
 * <p>SPIFFE Workload API and X509-SVID; OpenID Connect Discovery 1.0; RFC 6749 section 4.4 (client credentials); RFC 9068
 * (access tokens); RFC 8707 (resource indicators).
 */
@NullMarked
package io.sallyport.app.demo;

import org.jspecify.annotations.NullMarked;
