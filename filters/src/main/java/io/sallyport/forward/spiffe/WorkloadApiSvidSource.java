// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.spiffe;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.sallyport.forward.CurrentIdentity;
import io.sallyport.forward.SvidSource;
import io.sallyport.forward.WorkloadIdentity;
import io.spiffe.bundle.x509bundle.X509Bundle;
import io.spiffe.exception.X509BundleException;
import io.spiffe.exception.X509SvidException;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import io.spiffe.svid.x509svid.X509Svid;
import io.spiffe.workloadapi.grpc.SpiffeWorkloadAPIGrpc;
import io.spiffe.workloadapi.grpc.Workload;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a {@code FetchX509SVID} stream to the Workload API open, and opens it again with a growing delay whenever it ends: by
 * an error, but also by the agent's orderly completion, after which java-spiffe's own watcher stops for good. While the agent
 * is away the last identity stays, until it expires.
 *
 * <p>A message without SVIDs, or {@code PERMISSION_DENIED} said several times in a row, withdraws the identity (Workload API
 * section 5.2.1). Once is not enough: an agent that has just restarted says it until its entries are loaded.
 */
public final class WorkloadApiSvidSource implements SvidSource {
    private static final Logger log = LoggerFactory.getLogger(WorkloadApiSvidSource.class);

    private static final Duration FIRST_DELAY = Duration.ofMillis(200);
    private static final Duration LONGEST_DELAY = Duration.ofSeconds(15);
    private static final int DENIALS_TO_WITHDRAW = 4;
    private static final Duration SHUTDOWN = Duration.ofSeconds(1);

    private final CurrentIdentity identity;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("sallyport-workload-api").factory());
    private final EventLoopGroup eventLoop = new NioEventLoopGroup(
            1, Thread.ofPlatform().daemon().name("sallyport-workload-api-io").factory());
    private final ManagedChannel channel;
    private final SpiffeWorkloadAPIGrpc.SpiffeWorkloadAPIStub workloadApi;

    // Of the thread above alone.
    private int failures;
    private int denials;
    private volatile boolean closed;

    private WorkloadApiSvidSource(URI socket, InstantSource clock) {
        this.identity = new CurrentIdentity(clock);
        // The JDK's own Unix sockets: they need no native library, so every platform has them.
        this.channel = NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket.getPath()))
                .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
                .withOption(ChannelOption.SO_KEEPALIVE, null)
                .eventLoopGroup(eventLoop)
                .executor(thread)
                .usePlaintext()
                .build();
        // Workload Endpoint section 5: proof that no browser was tricked into asking.
        var security = new Metadata();
        security.put(Metadata.Key.of("workload.spiffe.io", Metadata.ASCII_STRING_MARSHALLER), "true");
        this.workloadApi = SpiffeWorkloadAPIGrpc.newStub(channel)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(security));
    }

    /** Starts asking, and returns without waiting for an answer. */
    public static WorkloadApiSvidSource connect(URI socket, InstantSource clock) {
        var source = new WorkloadApiSvidSource(socket, clock);
        source.thread.execute(source::open);
        return source;
    }

    private void open() {
        // gRPC's own back-off would add to ours: up to two minutes of not looking at a socket that is there.
        channel.resetConnectBackoff();
        workloadApi.fetchX509SVID(Workload.X509SVIDRequest.getDefaultInstance(), new Stream());
    }

    private void reopen(String why) {
        if (closed) {
            return;
        }
        long delay = Math.min(FIRST_DELAY.toMillis() << Math.min(failures, 16), LONGEST_DELAY.toMillis());
        failures++;
        // Half of it at random, so that the workloads of a node do not all come back to a restarted agent at once.
        long spread = delay / 2 + ThreadLocalRandom.current().nextLong(delay / 2 + 1);
        (failures == 1 ? log.atInfo() : log.atDebug())
                .addKeyValue("cause", why)
                .addKeyValue("retry_in_ms", spread)
                .log("the stream of the Workload API ended; the last identity stays");
        try {
            var _ = thread.schedule(this::open, spread, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // Closed meanwhile.
        }
    }

    private void received(Workload.X509SVIDResponse message) {
        denials = 0;
        if (message.getSvidsCount() == 0) {
            withdraw("a message without SVIDs");
            return;
        }
        try {
            publish(message);
            failures = 0;
        } catch (GeneralSecurityException | RuntimeException e) {
            // Section 4.5: report it and discard the message.
            log.atError()
                    .addKeyValue("cause", String.valueOf(e))
                    .log("the Workload API sent what is no X509-SVID; the last identity stays");
        }
    }

    private void publish(Workload.X509SVIDResponse message) throws GeneralSecurityException {
        try {
            // Section 5.3: the first is the default identity.
            var first = message.getSvids(0);
            var svid = X509Svid.parseRaw(
                    first.getX509Svid().toByteArray(), first.getX509SvidKey().toByteArray());
            if (!svid.getSpiffeId().equals(SpiffeId.parse(first.getSpiffeId()))) {
                throw new GeneralSecurityException("the SVID is not of %s".formatted(first.getSpiffeId()));
            }
            if (!KeyPairCheck.belongTogether(
                    svid.getPrivateKey(), svid.getLeaf().getPublicKey())) {
                throw new GeneralSecurityException("the key is not that of the SVID");
            }
            identity.replace(svid.getSpiffeId(), svid.getChain(), svid.getPrivateKey(), bundlesOf(message));
        } catch (X509SvidException | X509BundleException e) {
            throw new GeneralSecurityException(e.getMessage(), e);
        }
    }

    private static Map<TrustDomain, Set<X509Certificate>> bundlesOf(Workload.X509SVIDResponse message)
            throws X509BundleException {
        var bundles = new HashMap<TrustDomain, Set<X509Certificate>>();
        for (var federated : message.getFederatedBundlesMap().entrySet()) {
            var trustDomain = TrustDomain.parse(federated.getKey());
            var der = federated.getValue();
            // Empty is what is left of a bundle whose authorities are all withdrawn: nobody is trusted then.
            bundles.put(trustDomain, der.isEmpty() ? Set.of() : authorities(trustDomain, der.toByteArray()));
        }
        // Last: what the agent says of its own trust domain is not replaced by what federation says of it.
        for (var svid : message.getSvidsList()) {
            var trustDomain = SpiffeId.parse(svid.getSpiffeId()).getTrustDomain();
            bundles.put(trustDomain, authorities(trustDomain, svid.getBundle().toByteArray()));
        }
        return bundles;
    }

    private static Set<X509Certificate> authorities(TrustDomain trustDomain, byte[] der) throws X509BundleException {
        return X509Bundle.parse(trustDomain, der).getX509Authorities();
    }

    private void ended(@Nullable Throwable error) {
        if (error != null && Status.fromThrowable(error).getCode() == Status.Code.PERMISSION_DENIED) {
            denials++;
            if (denials == DENIALS_TO_WITHDRAW) {
                withdraw("PERMISSION_DENIED");
            }
        }
        reopen(error == null ? "completed by the agent" : String.valueOf(error));
    }

    private void withdraw(String why) {
        if (identity.get() != null) {
            log.atWarn().addKeyValue("cause", why).log("the Workload API withdrew the gateway's identity");
        }
        identity.withdraw();
    }

    @Override
    public @Nullable WorkloadIdentity current() {
        return identity.get();
    }

    @Override
    public @Nullable Instant receivedAt() {
        return identity.receivedAt();
    }

    @Override
    public void onUpdate(Consumer<@Nullable WorkloadIdentity> listener) {
        identity.onUpdate(listener);
    }

    @Override
    public void close() {
        closed = true;
        channel.shutdownNow();
        var _ = eventLoop.shutdownGracefully(0, SHUTDOWN.toMillis(), TimeUnit.MILLISECONDS);
        thread.shutdown();
    }

    /** One stream, until it ends in one way or another. Called on {@code thread}. */
    private final class Stream implements StreamObserver<Workload.X509SVIDResponse> {
        @Override
        public void onNext(Workload.X509SVIDResponse message) {
            received(message);
        }

        @Override
        public void onError(Throwable error) {
            ended(error);
        }

        @Override
        public void onCompleted() {
            ended(null);
        }
    }
}
