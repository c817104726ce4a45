// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.netty.Connection;
import reactor.netty.tcp.TcpClient;

/**
 * Where requests get their connections to one upstream under one pin, of one generation of the gateway's identity, on one event
 * loop. Confined to that event loop.
 */
public sealed interface UpstreamPool permits Http1Pool, Http2Pool {
    /** Nanoseconds. A peer is verified when it is connected to; not too long before it is used. */
    long MAX_LIFE = Duration.ofMinutes(10).toNanos();

    /** Handshakes at a time. Enough for the network's round trips, few enough to leave most of the event loop to requests. */
    int MOST_CONNECTING = 16;

    /**
     * Finds what a request can be sent on, or makes it.
     *
     * @param taken gets it, at once or later; whoever does not need it any more by then gives it back by {@link #release}
     * @param failed gets the reason why there is none; {@link PoolRetired} if another pool is to be asked
     * @param gone whether nobody waits for it any more: nothing is made for that one alone, and neither of both may be told
     * @param anew whether it has to be on a connection that is made from now on
     */
    void acquire(Consumer<UpstreamConnection> taken, Consumer<Throwable> failed, BooleanSupplier gone, boolean anew);

    /** Takes back what has nothing under way. */
    void release(UpstreamConnection connection);

    /** The upstream did not answer on it in time; perhaps nobody is there any more. */
    void suspect(UpstreamConnection connection);

    /** Nobody is to wait here any longer: what is connected from now on would be so under an identity of the past. */
    void retire();

    /**
     * Begins to connect when all events that the event loop has been told of together have been dealt with. One of them may be of
     * a connection that has just been closed, and would be taken for the new one's, which has its file descriptor.
     */
    static Mono<? extends Connection> connect(TcpClient client, EventLoop eventLoop) {
        return client.connect().subscribeOn(Schedulers.fromExecutor(eventLoop));
    }
}
