// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.forward.upstream.HandshakeMetrics;
import io.sallyport.forward.upstream.PeerRefused;
import io.sallyport.forward.upstream.PoolRetired;
import io.sallyport.forward.upstream.StreamOver;
import io.sallyport.forward.upstream.UpstreamConnection;
import io.sallyport.forward.upstream.UpstreamConnections;
import io.sallyport.forward.upstream.UpstreamPool;
import io.sallyport.forward.upstream.UpstreamProtocolError;
import io.sallyport.forward.upstream.UpstreamSilent;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.pipeline.Permit;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.channel.AbortedException;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/**
 * Sends one permitted request to its upstream and hands back the head of the answer, over a connection on which the pinned
 * identity was proven. Bodies are streamed in both directions, with the slower side's pace.
 *
 * <p>A request is sent at most once: it is never repeated, and no redirect is followed. It is never made to look complete when
 * it is not: if the client's body breaks off, or the exchange is cancelled, the upstream's connection is closed instead, or its
 * stream reset.
 *
 * <p>Runs on the request's event loop, the upstream's side too.
 */
public final class UpstreamExchange {
    private static final Denial WENT_ON = new Denial.Rejected(Reason.FORWARD_WEBSOCKET_MALFORMED);
    private static final Map<Reason, Denial> FAILURES = new EnumMap<>(Reason.class);

    static {
        for (var reason : new Reason[] {
            Reason.FORWARD_FAILED,
            Reason.FORWARD_IDENTITY_MISMATCH,
            Reason.FORWARD_PEER_UNTRUSTED,
            Reason.FORWARD_TLS_FAILED,
            Reason.FORWARD_CONNECT_FAILED,
            Reason.FORWARD_CONNECT_TIMEOUT,
            Reason.FORWARD_RESPONSE_TIMEOUT,
            Reason.FORWARD_STREAM_OVER,
            Reason.FORWARD_UPSTREAM_RESET,
            Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR
        }) {
            FAILURES.put(reason, new Denial.UpstreamFailed(reason));
        }
    }

    private final UpstreamConnections connections;
    private final HandshakeMetrics handshakes;
    private final OpenWebSockets webSockets = new OpenWebSockets();

    public UpstreamExchange(UpstreamConnections connections) {
        this.connections = connections;
        this.handshakes = connections.handshakes();
    }

    /** The gateway stops: closes the WebSockets that are open, in order. On whatever thread. */
    public void closeWebSockets() {
        webSockets.goAway();
    }

    /**
     * Sends the request.
     *
     * @param received the request as it came, for its body and what it may become
     * @param target path and query, exactly as they are to be sent
     * @param head the fields as filters have left them; what this package owns of them is replaced
     * @return the answer's head, to be written or discarded by the caller; or {@link ForwardFailure}; or another error if it is
     *     the client's side that broke. Subscribed to once, on the request's event loop
     */
    public Mono<UpstreamAnswer> send(Permit permit, HttpServerRequest received, String target, HttpHeaders head) {
        var plan = ForwardPlan.of(permit.route());
        return new Mono<>() {
            @Override
            public void subscribe(CoreSubscriber<? super UpstreamAnswer> caller) {
                new Attempt(permit, plan, ((Connection) received).channel(), received, target, head, caller).begin();
            }
        };
    }

    /** Sends a request that has no body and cannot become a WebSocket, as {@link #send}. */
    void ask(
            Permit permit,
            Channel client,
            String target,
            HttpHeaders head,
            CoreSubscriber<? super UpstreamAnswer> caller) {
        new Attempt(permit, ForwardPlan.of(permit.route()), client, null, target, head, caller).begin();
    }

    /** One request on its way to the upstream, its answer on the way back, and what may go wrong with them. */
    final class Attempt extends UpstreamConnection.Turn implements Subscription {
        private final Permit permit;
        private final UpstreamTarget target;
        private final Channel client;
        private final @Nullable HttpServerRequest received;
        private final String requestTarget;
        private final HttpHeaders head;
        private final CoreSubscriber<? super UpstreamAnswer> caller;
        private final EventLoop eventLoop;
        private final AnswerBody body;
        private final @Nullable WebSocketPlan webSocketPlan;

        private @Nullable WebSocketHandshake handshake;
        private @Nullable WebSocketEnd webSocket;
        private @Nullable UpstreamConnection connection;
        private @Nullable Disposable sending;
        private @Nullable UpstreamAnswer answer;
        private boolean answered;
        private boolean cancelled;
        private boolean rerouted;

        Attempt(
                Permit permit,
                ForwardPlan plan,
                Channel client,
                @Nullable HttpServerRequest received,
                String requestTarget,
                HttpHeaders head,
                CoreSubscriber<? super UpstreamAnswer> caller) {
            super(plan.target().timeout(), plan.stream().of(permit.context()));
            this.permit = permit;
            this.target = plan.target();
            this.client = client;
            this.received = received;
            this.requestTarget = requestTarget;
            this.head = head;
            this.caller = caller;
            this.eventLoop = client.eventLoop();
            this.body = new AnswerBody(this, eventLoop);
            this.webSocketPlan = plan.webSocket();
        }

        Permit permit() {
            return permit;
        }

        private void begin() {
            caller.onSubscribe(this);
            if (permit.context().head().isHttp2()) {
                // What takes it back may have come in the same bytes (CVE-2023-44487), and is to be read first.
                eventLoop.execute(this::startUnlessReset);
            } else {
                start();
            }
        }

        /** A flood of requests that are taken back at once costs the upstream nothing, and no connection for each. */
        private void startUnlessReset() {
            // A stream that was reset is inactive at once, and says so later.
            if (client.isActive()) {
                start();
            }
        }

        private void start() {
            if (cancelled) {
                return;
            }
            try {
                if (webSocketPlan != null && received != null) {
                    shakeHands(webSocketPlan, received);
                }
                connect();
            } catch (RuntimeException e) {
                failed(e);
            }
        }

        private void connect() {
            var pool = connections.poolFor(target, eventLoop);
            pool.acquire(taken -> connected(taken, pool), this::notConnected, () -> cancelled);
        }

        private void notConnected(Throwable why) {
            if (why instanceof PoolRetired && !rerouted && !cancelled) {
                // Under the identity of now, if there is one. Nothing has been sent yet.
                rerouted = true;
                try {
                    connect();
                } catch (ForwardFailure e) {
                    failed(e);
                }
            } else {
                failed(why);
            }
        }

        /** Prepares for a WebSocket if the request asks for one; a route that does not know of them takes no notice. */
        private void shakeHands(WebSocketPlan plan, HttpServerRequest received) {
            var asked = permit.context().head().headers();
            if (!WebSocketHandshake.isAskedFor(asked)) {
                return;
            }
            var refusal = WebSocketHandshake.refusalOf(received.method(), received.version(), asked, plan);
            if (refusal != null) {
                throw new ForwardFailure(refusal, null);
            }
            var switchable = client.attr(SwitchableConnection.KEY).get();
            if (!switchable.awaitSwitch(this::clientWentOn)) {
                throw new ForwardFailure(WENT_ON, null);
            }
            handshake = WebSocketHandshake.of(asked);
        }

        /** What it sent could be a frame or a request: nobody knows before the upstream's answer, and then it may be either's. */
        private void clientWentOn() {
            if (webSocket != null) {
                webSocket.close();
            } else if (!answered) {
                abandon();
                failed(new ForwardFailure(WENT_ON, null));
                // There may be no connection yet; nothing is to be sent over it.
                cancelled = true;
            }
        }

        /** Called when there is a verified connection, and not before: nothing of the request has been sent until here. */
        private void connected(UpstreamConnection taken, UpstreamPool pool) {
            if (cancelled) {
                pool.release(taken);
                return;
            }
            connection = taken;
            if (taken.begin(this) && target.tls()) {
                handshakes.verified(permit.route().name());
            }
            if (handshake != null) {
                // Whatever comes of it, no other request is to meet what is left of it.
                taken.retire();
            }
            try {
                sendOver(taken);
            } catch (RuntimeException e) {
                abandon();
                failed(e);
            }
        }

        private void sendOver(UpstreamConnection taken) {
            // Both sources of fields have been checked, by the server's codec or as filters wrote them.
            var out = DefaultHttpHeadersFactory.headersFactory()
                    .withValidation(false)
                    .newHeaders();
            RequestHeaders.write(permit, target, head, out);
            if (handshake != null) {
                handshake.writeRequest(out);
            }
            var method = permit.context().head().method();
            if (received == null
                    || !RequestHeaders.announceBody(permit.context().head().headers())) {
                taken.send(new DefaultFullHttpRequest(
                        HttpVersion.HTTP_1_1,
                        method,
                        requestTarget,
                        Unpooled.EMPTY_BUFFER,
                        out,
                        EmptyHttpHeaders.INSTANCE));
                return;
            }
            taken.send(new DefaultHttpRequest(HttpVersion.HTTP_1_1, method, requestTarget, out));
            sending = taken.outbound()
                    .sendObject(received.receive().retain().onErrorMap(ClientBroke::new))
                    .then()
                    .subscribe(null, this::bodyFailed, taken::endRequest);
        }

        private void bodyFailed(Throwable error) {
            abandon();
            failed(error);
        }

        @Override
        protected void head(HttpResponse head) {
            answer = new UpstreamAnswer(this, head, body);
        }

        @Override
        protected void part(ByteBuf content) {
            body.add(content);
        }

        @Override
        protected void readComplete() {
            answer();
        }

        @Override
        protected void end(HttpHeaders trailers) {
            stopSending();
            settle();
            body.complete(trailers);
            answer();
        }

        @Override
        protected @Nullable String problemOfSwitch(HttpResponse head) {
            return handshake == null ? super.problemOfSwitch(head) : handshake.problemOf(head.headers());
        }

        @Override
        protected void switched(HttpResponse head, Channel connection) {
            webSocket = WebSocketEnd.ofUpstream(
                    connection, Objects.requireNonNull(webSocketPlan).maxFrame());
            var lease = permit.context().lease();
            if (lease != null) {
                lease.lasting();
            }
            answer = new UpstreamAnswer(this, head, body);
            answer();
        }

        /** Whether the request asked to become a WebSocket. */
        boolean isHandshake() {
            return handshake != null;
        }

        /**
         * The WebSocket that the upstream has agreed to; null if it has not.
         *
         * @param response gets the head of the 101 here
         * @param head the upstream's own
         */
        @Nullable
        Mono<Void> webSocketTo(HttpServerResponse response, HttpHeaders head) {
            if (webSocket == null || handshake == null || webSocketPlan == null) {
                return null;
            }
            handshake.writeAnswer(head, response.responseHeaders());
            return new WebSocketTunnel(this, webSocketPlan, webSockets, webSocket, response, client);
        }

        /** The upstream has answered, as far as anybody wants to know. */
        void settle() {
            var lease = permit.context().takeLease();
            if (lease != null && answer != null) {
                lease.answered(answer.status().code());
            }
        }

        private void answer() {
            if (!answered && answer != null) {
                answered = true;
                caller.onNext(answer);
                caller.onComplete();
            }
        }

        /** So much of the body is here that it has to be passed on before any more is read. */
        void pause() {
            if (connection != null) {
                connection.pause();
            }
            answer();
        }

        void resume() {
            if (connection != null) {
                connection.resume();
            }
        }

        @Override
        public void request(long n) {
            // There is one answer, and it comes when it comes.
        }

        @Override
        public void cancel() {
            if (!eventLoop.inEventLoop()) {
                eventLoop.execute(this::cancel);
                return;
            }
            cancelled = true;
            body.discard();
            stopSending();
            if (connection != null) {
                connection.leave(this);
            }
            if (webSocket != null) {
                webSocket.close();
            }
        }

        private void abandon() {
            stopSending();
            if (connection != null) {
                connection.abandon(this);
            }
        }

        private void stopSending() {
            if (sending != null) {
                sending.dispose();
            }
        }

        /** It will not be answered, or not in full. */
        @Override
        protected void failed(Throwable error) {
            if (cancelled) {
                return;
            }
            stopSending();
            var failure = failureOf(error);
            if (answered) {
                body.fail(failure);
            } else {
                answered = true;
                body.discard();
                caller.onError(failure);
            }
        }

        /** Ends the upstream's lease for a failure of the upstream, and makes a denial of it. */
        Throwable failureOf(Throwable error) {
            if (error instanceof ForwardFailure) {
                return error;
            }
            if (error instanceof ClientBroke broke) {
                return broke.getCause();
            }
            var refused = PeerRefused.in(error);
            var reason = refused == null ? reasonOf(error) : refused.reason();
            if (refused != null) {
                handshakes.refused(permit.route().name(), reason);
            } else if (reason == Reason.FORWARD_TLS_FAILED || error instanceof SslHandshakeTimeoutException) {
                handshakes.failed(permit.route().name());
            }
            var lease = permit.context().takeLease();
            if (lease != null) {
                if (error instanceof StreamOver) {
                    lease.abandoned();
                } else {
                    lease.failed(error);
                }
            }
            var denial = Objects.requireNonNull(FAILURES.get(reason), reason.code());
            return new ForwardFailure(denial.with(evidenceOf(error, refused)), error);
        }

        private Evidence evidenceOf(Throwable error, @Nullable PeerRefused refused) {
            if (refused == null) {
                return Evidence.NONE.with(Evidence.Key.CAUSE, String.valueOf(error));
            }
            var evidence = Evidence.NONE
                    .with(
                            Evidence.Key.UPSTREAM_EXPECTED_IDS,
                            target.expectedIds().toString())
                    .with(Evidence.Key.CAUSE, String.valueOf(refused.getMessage()));
            var actual = refused.actual();
            return actual == null ? evidence : evidence.with(Evidence.Key.UPSTREAM_SPIFFE_ID, actual.toString());
        }

        private Reason reasonOf(Throwable error) {
            return switch (error) {
                case StreamOver _ -> Reason.FORWARD_STREAM_OVER;
                case UpstreamSilent _ -> Reason.FORWARD_RESPONSE_TIMEOUT;
                case UpstreamProtocolError _ -> Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR;
                case ConnectTimeoutException _ -> Reason.FORWARD_CONNECT_TIMEOUT;
                case SslHandshakeTimeoutException _ -> Reason.FORWARD_CONNECT_TIMEOUT;
                // Also after the handshake: with TLS 1.3 the upstream's refusal of our certificate comes as an alert
                // then.
                case SSLException _ -> Reason.FORWARD_TLS_FAILED;
                case DecoderException e when e.getCause() instanceof SSLException -> Reason.FORWARD_TLS_FAILED;
                case TooLongFrameException _ -> Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR;
                case ClosedChannelException _ when connection == null && target.tls() -> Reason.FORWARD_TLS_FAILED;
                case IOException _ ->
                    connection == null ? Reason.FORWARD_CONNECT_FAILED : Reason.FORWARD_UPSTREAM_RESET;
                default ->
                    AbortedException.isConnectionReset(error) ? Reason.FORWARD_UPSTREAM_RESET : Reason.FORWARD_FAILED;
            };
        }
    }

    /** Marks an error of the client's body on its way through the upstream's connection. */
    private static final class ClientBroke extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ClientBroke(Throwable cause) {
            super(null, cause, false, false);
        }

        @Override
        public synchronized Throwable getCause() {
            return Objects.requireNonNull(super.getCause());
        }
    }
}
