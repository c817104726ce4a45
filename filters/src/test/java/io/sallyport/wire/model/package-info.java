// SPDX-License-Identifier: Apache-2.0
/**
 * Random sequences of requests on one HTTP/1.1 connection, checked against a small model of what must come of them.
 *
 * <p>{@link io.sallyport.wire.model.Sequences} generates them, {@link io.sallyport.wire.model.ConnectionModel} says what is right. Neither
 * knows how the bytes travel: {@link io.sallyport.wire.model.SocketClient} sends them over a socket to {@link
 * io.sallyport.wire.model.SocketGateway}, which has both ways forward and a {@link io.sallyport.wire.model.ScriptedUpstream}; {@link
 * io.sallyport.wire.model.EmbeddedClient} hands them to an {@link io.sallyport.wire.model.EmbeddedConnection}, in whose place and time
 * everything happens in an order of the seed's choice.
 *
 * <p>RFC 9110, RFC 9112 (HTTP/1.1), RFC 6455 (WebSocket handshake).
 */
@NullMarked
package io.sallyport.wire.model;

import org.jspecify.annotations.NullMarked;
