// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.listener;

/** Whether connections begin with a PROXY header, by which a load balancer says who is behind it. */
public enum ProxyProtocol {
    /** They do not: one is no TLS, and no HTTP. */
    REFUSED,
    /** Each does, version 1 or 2, and only trusted proxies may connect. */
    REQUIRED
}
