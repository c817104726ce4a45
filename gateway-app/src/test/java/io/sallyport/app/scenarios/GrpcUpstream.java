// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import io.grpc.Attributes;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.sallyport.app.demo.Credentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/** A server of gRPC, as grpc-java makes one, that wants a certificate of its callers. Its messages are text. */
final class GrpcUpstream implements AutoCloseable {
    /** A field of the errors. */
    static final Metadata.Key<String> DETAIL = Metadata.Key.of("detail", Metadata.ASCII_STRING_MARSHALLER);

    private static final int MOST_OF_A_MESSAGE = 16 * 1024 * 1024;

    private final Server server;
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicInteger cancelled = new AtomicInteger();
    private final Set<String> callers = ConcurrentHashMap.newKeySet();
    private volatile @Nullable Metadata lastHead;

    private GrpcUpstream(int port, Credentials own, X509Certificate root, Duration maxAge, List<String> services) {
        try {
            var tls = GrpcSslContexts.configure(SslContextBuilder.forServer(own.key(), own.chain()))
                    .trustManager(root)
                    .clientAuth(ClientAuth.REQUIRE)
                    .build();
            var builder = NettyServerBuilder.forPort(port)
                    .sslContext(tls)
                    .maxInboundMessageSize(MOST_OF_A_MESSAGE)
                    .maxConnectionAge(maxAge.toMillis(), TimeUnit.MILLISECONDS)
                    .addTransportFilter(new Connections());
            for (var service : services) {
                builder.addService(ServerInterceptors.intercept(service(service), new Calls()));
            }
            this.server = builder.build().start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Starts one.
     *
     * @param maxAge when each connection is ended, by GOAWAY
     * @param services by these names, each the same
     */
    static GrpcUpstream start(int port, Credentials own, X509Certificate root, Duration maxAge, List<String> services) {
        return new GrpcUpstream(port, own, root, maxAge, services);
    }

    static MethodDescriptor<String, String> method(MethodType type, String service, String name) {
        return MethodDescriptor.<String, String>newBuilder()
                .setType(type)
                .setFullMethodName(MethodDescriptor.generateFullMethodName(service, name))
                .setRequestMarshaller(new Text())
                .setResponseMarshaller(new Text())
                .build();
    }

    /** Answers one; in place of {@code fail} with an error. */
    static MethodDescriptor<String, String> say(String service) {
        return method(MethodType.UNARY, service, "Say");
    }

    /** Answers one with as many as it says. */
    static MethodDescriptor<String, String> count(String service) {
        return method(MethodType.SERVER_STREAMING, service, "Count");
    }

    /** Answers all of them with their sum. */
    static MethodDescriptor<String, String> sum(String service) {
        return method(MethodType.CLIENT_STREAMING, service, "Sum");
    }

    /** Answers each at once. */
    static MethodDescriptor<String, String> chat(String service) {
        return method(MethodType.BIDI_STREAMING, service, "Chat");
    }

    /** Never answers. */
    static MethodDescriptor<String, String> hang(String service) {
        return method(MethodType.UNARY, service, "Hang");
    }

    private ServerServiceDefinition service(String name) {
        return ServerServiceDefinition.builder(name)
                .addMethod(say(name), ServerCalls.asyncUnaryCall(GrpcUpstream::say))
                .addMethod(count(name), ServerCalls.asyncServerStreamingCall(GrpcUpstream::count))
                .addMethod(sum(name), ServerCalls.asyncClientStreamingCall(Sum::new))
                .addMethod(chat(name), ServerCalls.asyncBidiStreamingCall(Chat::new))
                .addMethod(hang(name), ServerCalls.asyncUnaryCall((_, _) -> {}))
                .build();
    }

    private static void say(String text, StreamObserver<String> answer) {
        if (text.equals("fail")) {
            var trailers = new Metadata();
            trailers.put(DETAIL, "why");
            answer.onError(Status.FAILED_PRECONDITION.withDescription("not now").asRuntimeException(trailers));
            return;
        }
        answer.onNext("hello " + text);
        answer.onCompleted();
    }

    private static void count(String text, StreamObserver<String> answers) {
        int end = Integer.parseInt(text);
        for (int i = 1; i <= end; i++) {
            answers.onNext(String.valueOf(i));
        }
        answers.onCompleted();
    }

    /** How many connections were made so far. */
    int connections() {
        return connections.get();
    }

    int calls() {
        return calls.get();
    }

    /** How many calls were cancelled, by the caller or for their deadline. */
    int cancelled() {
        return cancelled.get();
    }

    /** The serial numbers of the certificates that callers have shown, in hexadecimal. */
    Set<String> callers() {
        return Set.copyOf(callers);
    }

    /** What came with the call before now. */
    @Nullable
    Metadata lastHead() {
        return lastHead;
    }

    @Override
    public void close() {
        server.shutdownNow();
    }

    private final class Connections extends ServerTransportFilter {
        @Override
        public Attributes transportReady(Attributes attributes) {
            connections.incrementAndGet();
            var session = attributes.get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
            try {
                var leaf = (X509Certificate) session.getPeerCertificates()[0];
                callers.add(leaf.getSerialNumber().toString(16));
            } catch (SSLPeerUnverifiedException e) {
                throw new IllegalStateException("a certificate is required", e);
            }
            return attributes;
        }
    }

    private final class Calls implements ServerInterceptor {
        @Override
        public <A, B> ServerCall.Listener<A> interceptCall(
                ServerCall<A, B> call, Metadata head, ServerCallHandler<A, B> next) {
            calls.incrementAndGet();
            lastHead = head;
            return new SimpleForwardingServerCallListener<>(next.startCall(call, head)) {
                @Override
                public void onCancel() {
                    cancelled.incrementAndGet();
                    super.onCancel();
                }
            };
        }
    }

    private static final class Sum implements StreamObserver<String> {
        private final StreamObserver<String> answer;
        private int sum;

        Sum(StreamObserver<String> answer) {
            this.answer = answer;
        }

        @Override
        public void onNext(String text) {
            sum += Integer.parseInt(text);
        }

        @Override
        public void onError(Throwable why) {
            // Cancelled.
        }

        @Override
        public void onCompleted() {
            answer.onNext(String.valueOf(sum));
            answer.onCompleted();
        }
    }

    private record Chat(StreamObserver<String> answers) implements StreamObserver<String> {
        @Override
        public void onNext(String text) {
            answers.onNext("re: " + text);
        }

        @Override
        public void onError(Throwable why) {
            // Cancelled.
        }

        @Override
        public void onCompleted() {
            answers.onCompleted();
        }
    }

    private static final class Text implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String text) {
            return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
