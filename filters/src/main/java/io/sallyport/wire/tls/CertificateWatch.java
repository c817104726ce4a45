// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.tls;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What became of the handshakes of a listener that asks its clients for certificates. A refused one ends before there is a request,
 * and so leaves no decision record: it is counted here, and the first of each minute is logged. One for each listener.
 */
@Sharable
public final class CertificateWatch extends ChannelInboundHandlerAdapter {
    private static final Logger log = LoggerFactory.getLogger(CertificateWatch.class);

    /** Whoever can connect could fill the log. */
    private static final Duration PAUSE = Duration.ofMinutes(1);

    private final String listener;
    private final Function<Channel, InetSocketAddress> clientOf;
    private final InstantSource clock;
    private final Counter verified;
    private final Counter refused;
    private final Counter unexpected;
    private final Counter failed;
    private final AtomicReference<Silence> silence = new AtomicReference<>(new Silence(Instant.MIN, 0));

    /** @param unsaid how many refusals there have been since the last that was logged */
    private record Silence(Instant until, long unsaid) {}

    /**
     * @param listener its section in the file
     * @param clientOf the address of a connection's client
     */
    public CertificateWatch(
            String listener, Function<Channel, InetSocketAddress> clientOf, InstantSource clock, MeterRegistry meters) {
        this.listener = listener;
        this.clientOf = clientOf;
        this.clock = clock;
        this.verified = counter("verified", meters);
        this.refused = counter("refused", meters);
        this.unexpected = counter("id_denied", meters);
        this.failed = counter("failed", meters);
    }

    private Counter counter(String result, MeterRegistry meters) {
        return Counter.builder("sallyport.client.certificates")
                .description("TLS handshakes of clients that were asked for a certificate, by what became of them")
                .tag("listener", listener)
                .tag("result", result)
                .register(meters);
    }

    /** A certificate was shown and let in; on the event loop. A resumed session shows none. */
    void verified() {
        verified.increment();
    }

    /** One was shown that ends the handshake, whose end is heard of below; on the event loop. */
    ClientRefused refused(ClientRefused why) {
        (why.proven() ? unexpected : refused).increment();
        return why;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake && !handshake.isSuccess()) {
            tell(handshake.cause(), clientOf.apply(context.channel()));
        }
        context.fireUserEventTriggered(event);
    }

    private void tell(Throwable failure, InetSocketAddress peer) {
        var why = ClientRefused.in(failure);
        if (why == null) {
            // Nothing was shown where something has to be, or TLS itself came to nothing.
            failed.increment();
            log.atDebug()
                    .addKeyValue("listener", listener)
                    .addKeyValue("peer", peer)
                    .addKeyValue("cause", failure.toString())
                    .log("a handshake failed");
            return;
        }
        var now = clock.instant();
        var before = silence.getAndUpdate(last -> next(last, now));
        if (isOver(before, now)) {
            log(why, peer, before.unsaid());
        }
    }

    private static Silence next(Silence before, Instant now) {
        return isOver(before, now) ? new Silence(now.plus(PAUSE), 0) : new Silence(before.until(), before.unsaid() + 1);
    }

    private static boolean isOver(Silence silence, Instant now) {
        return !now.isBefore(silence.until());
    }

    private void log(ClientRefused why, InetSocketAddress peer, long unsaid) {
        log.atWarn()
                .addKeyValue("listener", listener)
                .addKeyValue("peer", peer)
                .addKeyValue(why.proven() ? "spiffe_id" : "claimed", why.claimed())
                .addKeyValue("cause", why.getMessage())
                .addKeyValue("more_before", unsaid)
                .log("a client's certificate was refused, and its handshake with it; not logged again for a minute");
    }
}
