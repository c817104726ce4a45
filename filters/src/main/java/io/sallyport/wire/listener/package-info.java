// SPDX-License-Identifier: Apache-2.0
/**
 * The listeners: who may connect, TLS, limits and time-outs of connections, and which protocol's handlers read them. {@link
 * io.sallyport.wire.listener.IngressServerCustomizer} puts the parts of {@code wire} together.
 *
 * <p>HAProxy's PROXY protocol; RFC 7301 (ALPN).
 */
@NullMarked
package io.sallyport.wire.listener;

import org.jspecify.annotations.NullMarked;
