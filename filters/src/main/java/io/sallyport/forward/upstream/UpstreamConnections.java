// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.OpenSsl;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.workload.svid.SvidMetrics;
import io.sallyport.workload.svid.SvidSource;
import io.sallyport.workload.svid.WorkloadIdentity;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections to upstreams: a pool for each upstream and pin ({@link UpstreamPeer}), generation of the gateway's identity, and
 * event loop. A connection so lives on the event loop of the requests that it serves, and nothing of a request is ever touched by
 * two threads.
 *
 * <p>When the identity changes, new requests get new connections at once; connections of the previous generation are closed after
 * {@code drain-after}, those in use when their answer has ended. If an authority has left a bundle, every connection to a peer of
 * that trust domain, of whatever generation, is closed: if it is idle at once, if it is in use after {@code cut-after} at the
 * latest. If the identity was withdrawn, so is every connection. If the files of {@code upstream.tls} change, so are the
 * connections that were made by them.
 */
public final class UpstreamConnections implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(UpstreamConnections.class);

    private static final Denial SVID_EXPIRED =
            new Denial.Unavailable(Reason.FORWARD_SVID_EXPIRED, Duration.ofSeconds(5));

    private final SvidSource identities;
    private final InstantSource clock;
    private final HandshakeMetrics handshakes;
    private final UpstreamTls.Surroundings surroundings;
    private final TlsFilesWatch files;
    private final UpstreamDialer dialer = new UpstreamDialer();
    private final IdentityPools plaintext = new IdentityPools(dialer, null);
    private final UpstreamTls withoutSvidTls;
    private final IdentityPools withoutSvid;
    private final FormerPools former;
    private volatile @Nullable Serving serving;
    private volatile boolean closed;

    /** What new requests over TLS use. */
    private record Serving(WorkloadIdentity identity, UpstreamTls tls, IdentityPools pools) {}

    /**
     * @param drainAfter how long connections of a previous identity are kept
     * @param cutAfter how long requests may go on over connections to peers that are no longer trusted
     */
    public UpstreamConnections(
            SvidSource identities, Duration drainAfter, Duration cutAfter, InstantSource clock, MeterRegistry meters) {
        this(identities, drainAfter, cutAfter, clock, meters, OpenSsl.isAvailable());
    }

    /** @param openSsl false for the JDK's own TLS, which is slower */
    UpstreamConnections(
            SvidSource identities,
            Duration drainAfter,
            Duration cutAfter,
            InstantSource clock,
            MeterRegistry meters,
            boolean openSsl) {
        this.identities = identities;
        this.former = new FormerPools(drainAfter, cutAfter);
        this.clock = clock;
        this.handshakes = new HandshakeMetrics(meters);
        this.files = new TlsFilesWatch(clock, this::filesChanged);
        this.surroundings = new UpstreamTls.Surroundings(identities::bundles, files, clock, meters, openSsl);
        this.withoutSvidTls = new UpstreamTls(null, surroundings);
        this.withoutSvid = new IdentityPools(dialer, withoutSvidTls);
        if (!openSsl) {
            log.atInfo().log("TLS towards upstreams is the JDK's, and slower than the native one");
        }
        SvidMetrics.bind(identities, clock, meters);
        identities.onUpdate(this::identityChanged);
    }

    /**
     * The pool of that upstream.
     *
     * @param eventLoop that of the request, and the caller's own
     * @throws ForwardFailure if the gateway cannot prove its own identity: {@code forward.svid_missing}, also if TLS cannot use
     *     the one it has, or {@code svid_expired}
     */
    public UpstreamPool poolFor(UpstreamTarget target, EventLoop eventLoop) {
        return poolsFor(target.peer()).pool(target.peer(), eventLoop);
    }

    /** Where what became of handshakes is counted. */
    public HandshakeMetrics handshakes() {
        return handshakes;
    }

    private IdentityPools poolsFor(UpstreamPeer peer) {
        return switch (peer.proof()) {
            case PeerProof.Nothing _ -> plaintext;
            case PeerProof.Workload _ -> underIdentity();
            case PeerProof.Named named -> named.showsSvid() ? underIdentity() : withoutSvid;
        };
    }

    private IdentityPools underIdentity() {
        var identity = identities.current();
        if (identity == null) {
            throw new ForwardFailure(UpstreamTls.SVID_MISSING, null);
        }
        if (identity.isExpiredAt(clock.instant())) {
            throw new ForwardFailure(SVID_EXPIRED, null);
        }
        var current = serving;
        return current != null && current.identity.generation() == identity.generation()
                ? current.pools
                : swap(identity);
    }

    private synchronized IdentityPools swap(WorkloadIdentity identity) {
        var previous = serving;
        if (previous != null && previous.identity.generation() >= identity.generation()) {
            return previous.pools;
        }
        var tls = new UpstreamTls(identity, surroundings);
        if (previous != null) {
            tls.prepareFor(previous.tls);
        }
        var next = new Serving(identity, tls, new IdentityPools(dialer, tls));
        serving = next;
        if (previous != null) {
            former.drain(previous.pools);
            former.cut(identity.bundles().distrustedSince(previous.identity.bundles()));
        }
        return next.pools;
    }

    /** On the thread of the source: it, and no event loop, builds the TLS contexts of upstreams that are in use. */
    private void identityChanged(@Nullable WorkloadIdentity identity) {
        if (closed) {
            return;
        }
        if (identity == null) {
            withdraw();
        } else {
            swap(identity);
        }
    }

    private synchronized void withdraw() {
        var last = serving;
        serving = null;
        former.withdraw(last == null ? null : last.pools);
    }

    /** On the thread of the watch: connections that were made by the former files are not used any more. */
    private synchronized void filesChanged(TlsFiles changed) {
        Predicate<UpstreamPeer> concerned = peer ->
                peer.proof() instanceof PeerProof.Named named && named.files().equals(changed);
        withoutSvidTls.forget(concerned);
        former.renew(withoutSvid, concerned);
        var current = serving;
        if (current != null) {
            current.tls.forget(concerned);
            former.renew(current.pools, concerned);
        }
        former.cut(concerned);
    }

    @Override
    public void close() {
        closed = true;
        files.close();
        withoutSvid.dispose();
        var last = serving;
        if (last != null) {
            last.pools.dispose();
        }
        former.dispose();
        plaintext.dispose();
        dialer.close();
    }
}
