// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import com.google.protobuf.ByteString;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.grpc.stub.StreamObserver;
import io.sallyport.forward.TestCa.Svid;
import io.spiffe.workloadapi.grpc.SpiffeWorkloadAPIGrpc.SpiffeWorkloadAPIImplBase;
import io.spiffe.workloadapi.grpc.Workload.JWTBundlesRequest;
import io.spiffe.workloadapi.grpc.Workload.JWTBundlesResponse;
import io.spiffe.workloadapi.grpc.Workload.X509SVID;
import io.spiffe.workloadapi.grpc.Workload.X509SVIDRequest;
import io.spiffe.workloadapi.grpc.Workload.X509SVIDResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A SPIFFE Workload API on a Unix socket: the real protocol with SVIDs of a {@link TestCa}. It can be told to rotate, to refuse,
 * to end its streams in order, to go away and to come back.
 */
public final class FakeWorkloadApi implements AutoCloseable {
    private static final Metadata.Key<String> SECURITY_HEADER =
            Metadata.Key.of("workload.spiffe.io", Metadata.ASCII_STRING_MARSHALLER);

    private final Path socket;
    private final EventLoopGroup eventLoops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final List<StreamObserver<X509SVIDResponse>> streams = new ArrayList<>();
    private final List<StreamObserver<JWTBundlesResponse>> jwtStreams = new ArrayList<>();
    private @Nullable X509SVIDResponse current;
    private @Nullable JWTBundlesResponse jwtBundles;
    private @Nullable Server server;
    private int opened;

    private FakeWorkloadApi(Path socket) {
        this.socket = socket;
    }

    /** Listens there; until {@link #serve} is called it answers PERMISSION_DENIED, like an agent without an entry. */
    public static FakeWorkloadApi on(Path socket) {
        var api = new FakeWorkloadApi(socket);
        api.comeBack();
        return api;
    }

    public URI uri() {
        return URI.create("unix:" + socket);
    }

    /** From now on that identity, to open streams at once. */
    public synchronized void serve(Svid svid, TestCa own, TestCa... federated) {
        var message = message(svid, List.of(own.certificate()));
        for (var partner : federated) {
            message.putFederatedBundles(partner.trustDomain().toIdString(), der(List.of(partner.certificate())));
        }
        send(message.build());
    }

    /** From now on that identity with those bundles of its own trust domain. */
    public synchronized void serve(Svid svid, Set<X509Certificate> bundle) {
        send(message(svid, bundle).build());
    }

    /** That identity with those bundles of its own trust domain, to be added to. */
    public static X509SVIDResponse.Builder message(Svid svid, Collection<X509Certificate> bundle) {
        return X509SVIDResponse.newBuilder()
                .addSvids(X509SVID.newBuilder()
                        .setSpiffeId(svid.identity(Map.of(), 0).id().toString())
                        .setX509Svid(der(svid.chain()))
                        .setX509SvidKey(ByteString.copyFrom(svid.key().getEncoded()))
                        .setBundle(der(bundle)));
    }

    /** A message as it is, right or wrong. */
    public synchronized void send(X509SVIDResponse message) {
        current = message;
        streams.forEach(stream -> stream.onNext(message));
    }

    /** From now on those JWT bundles: JWK Sets by the IDs of their trust domains. */
    public synchronized void serveJwtBundles(Map<String, String> bundles) {
        var message = JWTBundlesResponse.newBuilder();
        bundles.forEach((trustDomain, keys) -> message.putBundles(trustDomain, ByteString.copyFromUtf8(keys)));
        jwtBundles = message.build();
        jwtStreams.forEach(stream -> stream.onNext(message.build()));
    }

    /** The workload has no entry any more. */
    public synchronized void deny() {
        current = null;
        jwtBundles = null;
        endStreams(stream -> stream.onError(Status.PERMISSION_DENIED.asRuntimeException()));
    }

    /** Ends the open streams in order, as an agent does that is about to restart. */
    public synchronized void complete() {
        endStreams(StreamObserver::onCompleted);
    }

    private void endStreams(Consumer<StreamObserver<?>> end) {
        streams.forEach(end);
        streams.clear();
        jwtStreams.forEach(end);
        jwtStreams.clear();
    }

    /** How many streams have been asked for so far. */
    public synchronized int opened() {
        return opened;
    }

    /** The agent dies. */
    public void goAway() {
        var running = server;
        if (running != null) {
            running.shutdownNow();
            try {
                running.awaitTermination();
                Files.deleteIfExists(socket);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        synchronized (this) {
            streams.clear();
            jwtStreams.clear();
        }
    }

    /** The agent is there again, and serves what it served. */
    public void comeBack() {
        try {
            server = NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                    .channelType(NioServerDomainSocketChannel.class)
                    .bossEventLoopGroup(eventLoops)
                    .workerEventLoopGroup(eventLoops)
                    .withChildOption(ChannelOption.SO_KEEPALIVE, null)
                    .directExecutor()
                    .intercept(new RequireSecurityHeader())
                    .addService(new Api())
                    .build()
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        goAway();
        var _ = eventLoops.shutdownGracefully();
    }

    private static ByteString der(Collection<X509Certificate> certificates) {
        var der = ByteString.empty();
        for (var certificate : certificates) {
            try {
                der = der.concat(ByteString.copyFrom(certificate.getEncoded()));
            } catch (CertificateEncodingException e) {
                throw new IllegalArgumentException(e);
            }
        }
        return der;
    }

    private synchronized void open(StreamObserver<X509SVIDResponse> stream) {
        opened++;
        if (current == null) {
            stream.onError(Status.PERMISSION_DENIED.asRuntimeException());
            return;
        }
        streams.add(stream);
        stream.onNext(current);
    }

    private synchronized void openJwt(StreamObserver<JWTBundlesResponse> stream) {
        opened++;
        if (jwtBundles == null) {
            stream.onError(Status.PERMISSION_DENIED.asRuntimeException());
            return;
        }
        jwtStreams.add(stream);
        stream.onNext(jwtBundles);
    }

    private final class Api extends SpiffeWorkloadAPIImplBase {
        @Override
        public void fetchX509SVID(X509SVIDRequest request, StreamObserver<X509SVIDResponse> stream) {
            open(stream);
        }

        @Override
        public void fetchJWTBundles(JWTBundlesRequest request, StreamObserver<JWTBundlesResponse> stream) {
            openJwt(stream);
        }
    }

    private static final class RequireSecurityHeader implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            if (!"true".equals(headers.get(SECURITY_HEADER))) {
                call.close(Status.INVALID_ARGUMENT, new Metadata());
                return new ServerCall.Listener<>() {};
            }
            return next.startCall(call, headers);
        }
    }
}
