// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import com.google.protobuf.ByteString;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
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
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.workloadapi.grpc.SpiffeWorkloadAPIGrpc.SpiffeWorkloadAPIImplBase;
import io.spiffe.workloadapi.grpc.Workload.JWTBundlesRequest;
import io.spiffe.workloadapi.grpc.Workload.JWTBundlesResponse;
import io.spiffe.workloadapi.grpc.Workload.X509BundlesRequest;
import io.spiffe.workloadapi.grpc.Workload.X509BundlesResponse;
import io.spiffe.workloadapi.grpc.Workload.X509SVID;
import io.spiffe.workloadapi.grpc.Workload.X509SVIDRequest;
import io.spiffe.workloadapi.grpc.Workload.X509SVIDResponse;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the gateway asks the SPIFFE Workload API, for one workload, over gRPC on a Unix socket: what a SPIRE agent is to the
 * gateway. All of its calls are streams that stay open; what is new is pushed into each of them.
 *
 * <p>Who may connect is decided by the directory of the socket, in place of attestation.
 */
public final class DemoWorkloadApi implements AutoCloseable {
    private static final Metadata.Key<String> SECURITY_HEADER =
            Metadata.Key.of("workload.spiffe.io", Metadata.ASCII_STRING_MARSHALLER);

    private final DemoCertificateAuthority authority;
    private final SpiffeId workload;
    private final Duration lifetime;
    private final List<ServerCallStreamObserver<X509SVIDResponse>> svidStreams = new ArrayList<>();
    private final List<ServerCallStreamObserver<X509BundlesResponse>> bundleStreams = new ArrayList<>();
    private final List<ServerCallStreamObserver<JWTBundlesResponse>> jwtBundleStreams = new ArrayList<>();
    private final ScheduledExecutorService rotation = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("demo-workload-api-rotation").factory());
    private final Server server;
    private final URI address;
    private final List<EventLoopGroup> eventLoops = new ArrayList<>();
    private @Nullable Credentials current;
    private ECKey jwtAuthority = newJwtAuthority();

    private DemoWorkloadApi(
            Path directory,
            DemoCertificateAuthority authority,
            SpiffeId workload,
            Duration lifetime,
            boolean registered)
            throws IOException {
        this.authority = authority;
        this.workload = workload;
        this.lifetime = lifetime;
        this.current = registered ? authority.svid(workload, lifetime) : null;

        var socket = directory.resolve("workload.sock");
        var accepting = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        var serving = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        eventLoops.add(accepting);
        eventLoops.add(serving);
        this.server = NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toString()))
                .channelType(EpollServerDomainSocketChannel.class)
                // Set by default, and unknown to Unix sockets: each connection would log a warning.
                .withChildOption(ChannelOption.SO_KEEPALIVE, null)
                .bossEventLoopGroup(accepting)
                .workerEventLoopGroup(serving)
                .addService(new Service())
                .intercept(new RequireSecurityHeader())
                .build()
                .start();
        this.address = URI.create("unix:" + socket);
        // Half of the lifetime, as SPIRE does: the workload has the other half to take the new one.
        var period = lifetime.dividedBy(2).toMillis();
        var _ = rotation.scheduleAtFixedRate(this::rotateIfRegistered, period, period, TimeUnit.MILLISECONDS);
    }

    /** Whether this platform has the Unix sockets that java-spiffe, the gateway's client, would call it on. */
    public static boolean isSupported() {
        return Epoll.isAvailable();
    }

    /**
     * Starts to serve one workload.
     *
     * @param directory holds the socket; its path must be short enough for one (about 90 characters)
     * @param lifetime of each SVID; a new one is pushed when half of it has passed
     */
    public static DemoWorkloadApi start(
            Path directory, DemoCertificateAuthority authority, SpiffeId workload, Duration lifetime)
            throws IOException {
        return new DemoWorkloadApi(directory, authority, workload, lifetime, true);
    }

    /** The same, but no identity is registered for the workload until {@link #rotate()} is called. */
    public static DemoWorkloadApi startUnregistered(
            Path directory, DemoCertificateAuthority authority, SpiffeId workload, Duration lifetime)
            throws IOException {
        return new DemoWorkloadApi(directory, authority, workload, lifetime, false);
    }

    /** What a client is to be configured with. */
    public URI address() {
        return address;
    }

    /** How many streams wait for SVIDs at the moment. */
    public synchronized int openStreams() {
        return svidStreams.size();
    }

    /**
     * Issues a new SVID with a new key, and pushes it to all who listen.
     *
     * @return the new one
     */
    public synchronized Credentials rotate() {
        var issued = authority.svid(workload, lifetime);
        current = issued;
        for (var stream : List.copyOf(svidStreams)) {
            stream.onNext(response(issued));
        }
        return issued;
    }

    /** A JWT-SVID of the trust domain, under its authority of this moment. */
    public synchronized String jwtSvid(SpiffeId subject, String audience, Instant expiresAt) {
        var header = new JWSHeader.Builder(JWSAlgorithm.ES256)
                .type(JOSEObjectType.JWT)
                .keyID(jwtAuthority.getKeyID())
                .build();
        var claims = new JWTClaimsSet.Builder()
                .subject(subject.toString())
                .audience(audience)
                .claim("exp", expiresAt.getEpochSecond())
                .build();
        try {
            var svid = new SignedJWT(header, claims);
            svid.sign(new ECDSASigner(jwtAuthority));
            return svid.serialize();
        } catch (JOSEException e) {
            throw new IllegalStateException("a JWT-SVID could not be signed with a key that was just made", e);
        }
    }

    /** Replaces the authority of JWT-SVIDs, and pushes the new bundle: what the last one signed is worth nothing from then on. */
    public synchronized void rotateJwtAuthority() {
        jwtAuthority = newJwtAuthority();
        for (var stream : List.copyOf(jwtBundleStreams)) {
            stream.onNext(jwtBundles());
        }
    }

    private static ECKey newJwtAuthority() {
        try {
            return new ECKeyGenerator(Curve.P_256).keyIDFromThumbprint(true).generate();
        } catch (JOSEException e) {
            throw new IllegalStateException("this JDK cannot make P-256 keys", e);
        }
    }

    private JWTBundlesResponse jwtBundles() {
        var keys = new JWKSet(jwtAuthority.toPublicJWK()).toString();
        return JWTBundlesResponse.newBuilder()
                .putBundles(workload.getTrustDomain().toIdString(), ByteString.copyFromUtf8(keys))
                .build();
    }

    private synchronized void rotateIfRegistered() {
        if (current != null) {
            rotate();
        }
    }

    @Override
    public void close() {
        rotation.shutdownNow();
        server.shutdownNow();
        for (var group : eventLoops) {
            var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }

    private X509SVIDResponse response(Credentials svid) {
        var chain = ByteString.empty();
        for (var certificate : svid.chain()) {
            chain = chain.concat(ByteString.copyFrom(Credentials.der(certificate)));
        }
        return X509SVIDResponse.newBuilder()
                .addSvids(X509SVID.newBuilder()
                        .setSpiffeId(workload.toString())
                        .setX509Svid(chain)
                        .setX509SvidKey(ByteString.copyFrom(svid.key().getEncoded()))
                        .setBundle(bundle()))
                .build();
    }

    private ByteString bundle() {
        return ByteString.copyFrom(Credentials.der(authority.root()));
    }

    /** The calls that the gateway makes; the others answer UNIMPLEMENTED, as generated. */
    private final class Service extends SpiffeWorkloadAPIImplBase {
        @Override
        public void fetchX509SVID(X509SVIDRequest request, StreamObserver<X509SVIDResponse> response) {
            synchronized (DemoWorkloadApi.this) {
                var issued = current;
                if (issued == null) {
                    // What SPIRE answers a workload without an entry; the client is to try again.
                    response.onError(Status.PERMISSION_DENIED
                            .withDescription("no identity issued")
                            .asRuntimeException());
                    return;
                }
                keepOpen(response, svidStreams).onNext(response(issued));
            }
        }

        @Override
        public void fetchX509Bundles(X509BundlesRequest request, StreamObserver<X509BundlesResponse> response) {
            synchronized (DemoWorkloadApi.this) {
                keepOpen(response, bundleStreams)
                        .onNext(X509BundlesResponse.newBuilder()
                                .putBundles(workload.getTrustDomain().toIdString(), bundle())
                                .build());
            }
        }

        @Override
        public void fetchJWTBundles(JWTBundlesRequest request, StreamObserver<JWTBundlesResponse> response) {
            synchronized (DemoWorkloadApi.this) {
                keepOpen(response, jwtBundleStreams).onNext(jwtBundles());
            }
        }

        private <T> StreamObserver<T> keepOpen(StreamObserver<T> response, List<ServerCallStreamObserver<T>> streams) {
            var stream = (ServerCallStreamObserver<T>) response;
            stream.setOnCancelHandler(() -> {
                synchronized (DemoWorkloadApi.this) {
                    streams.remove(stream);
                }
            });
            streams.add(stream);
            return stream;
        }
    }

    /** The standard's security header: it tells a workload from a program that was tricked into connecting. */
    private static final class RequireSecurityHeader implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            if ("true".equals(headers.get(SECURITY_HEADER))) {
                return next.startCall(call, headers);
            }
            call.close(Status.INVALID_ARGUMENT.withDescription("security header missing from request"), new Metadata());
            return new ServerCall.Listener<>() {};
        }
    }
}
