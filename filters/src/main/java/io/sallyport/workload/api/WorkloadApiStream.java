// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.api;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.spiffe.workloadapi.grpc.SpiffeWorkloadAPIGrpc;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one stream of the Workload API open, and opens it again with a growing delay whenever it ends: by an error, but also by
 * the agent's orderly completion, after which java-spiffe's own watcher stops for good.
 *
 * @param <M> what the stream brings
 */
public final class WorkloadApiStream<M> implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(WorkloadApiStream.class);

    private static final Duration FIRST_DELAY = Duration.ofMillis(200);
    private static final Duration LONGEST_DELAY = Duration.ofSeconds(15);
    // Once is not enough: an agent that has just restarted says it until its entries are loaded.
    private static final int DENIALS_TO_WITHDRAW = 4;
    private static final Duration SHUTDOWN = Duration.ofSeconds(1);

    private final String what;
    private final Call<M> call;
    private final Listener<M> listener;
    private final ScheduledExecutorService thread;
    private final EventLoopGroup eventLoop;
    private final ManagedChannel channel;
    private final SpiffeWorkloadAPIGrpc.SpiffeWorkloadAPIStub workloadApi;

    // Of the thread above alone.
    private int failures;
    private int denials;
    private volatile boolean closed;

    /** Which of the streams: a method of the generated stub, with its request. */
    @FunctionalInterface
    public interface Call<M> {
        void open(SpiffeWorkloadAPIGrpc.SpiffeWorkloadAPIStub workloadApi, StreamObserver<M> observer);
    }

    /** Who is told, on the stream's own thread, one call at a time. */
    public interface Listener<M> {
        /**
         * Takes a message over.
         *
         * @return whether it brought what the stream is there for; else the delay before the next attempt goes on growing
         * @throws GeneralSecurityException if it is to be reported and discarded (Workload API section 4.5)
         */
        boolean received(M message) throws GeneralSecurityException;

        /** The agent said {@code PERMISSION_DENIED}, several times in a row: nothing is there for this workload any more. */
        void denied();

        /** The stream has ended, and will be opened again. What it last brought is what is known. */
        default void interrupted() {}
    }

    private WorkloadApiStream(URI socket, String what, Call<M> call, Listener<M> listener) {
        this.what = what;
        this.call = call;
        this.listener = listener;
        this.thread = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("sallyport-workload-api").factory());
        this.eventLoop = new MultiThreadIoEventLoopGroup(
                1,
                Thread.ofPlatform().daemon().name("sallyport-workload-api-io").factory(),
                NioIoHandler.newFactory());
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

    /**
     * Starts asking, and returns without waiting for an answer.
     *
     * @param socket {@code unix:} and an absolute path
     * @param what the stream brings, for the log: {@code X509-SVIDs}
     */
    public static <M> WorkloadApiStream<M> open(URI socket, String what, Call<M> call, Listener<M> listener) {
        var stream = new WorkloadApiStream<>(socket, what, call, listener);
        stream.thread.execute(stream::ask);
        return stream;
    }

    private void ask() {
        // gRPC's own back-off would add to ours: up to two minutes of not looking at a socket that is there.
        channel.resetConnectBackoff();
        call.open(workloadApi, new Observer());
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
                .addKeyValue("stream", what)
                .addKeyValue("cause", why)
                .addKeyValue("retry_in_ms", spread)
                .log("the stream of the Workload API ended; what it last brought stays");
        try {
            var _ = thread.schedule(this::ask, spread, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // Closed meanwhile.
        }
    }

    private void received(M message) {
        denials = 0;
        try {
            if (listener.received(message)) {
                failures = 0;
            }
        } catch (GeneralSecurityException | RuntimeException e) {
            log.atError()
                    .addKeyValue("stream", what)
                    .addKeyValue("cause", String.valueOf(e))
                    .log("the Workload API sent what cannot be used; what came before stays");
        }
    }

    private void ended(@Nullable Throwable error) {
        if (error != null && Status.fromThrowable(error).getCode() == Status.Code.PERMISSION_DENIED) {
            denials++;
            if (denials == DENIALS_TO_WITHDRAW) {
                listener.denied();
            }
        }
        listener.interrupted();
        reopen(error == null ? "completed by the agent" : String.valueOf(error));
    }

    @Override
    public void close() {
        closed = true;
        channel.shutdownNow();
        var _ = eventLoop.shutdownGracefully(0, SHUTDOWN.toMillis(), TimeUnit.MILLISECONDS);
        thread.shutdown();
    }

    /** One stream, until it ends in one way or another. Called on {@code thread}. */
    private final class Observer implements StreamObserver<M> {
        @Override
        public void onNext(M message) {
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
