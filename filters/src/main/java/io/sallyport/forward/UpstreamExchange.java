// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.pipeline.Evidence;
import io.sallyport.pipeline.Permit;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.NettyOutbound;
import reactor.netty.channel.AbortedException;
import reactor.netty.http.client.HttpClientRequest;
import reactor.netty.http.server.HttpServerRequest;

/**
 * Sends one permitted request to its upstream and hands back the head of the answer, over a connection on which the pinned
 * identity was proven. Bodies are streamed in both directions, with the slower side's pace.
 *
 * <p>A request is sent at most once: it is never repeated, and no redirect is followed. It is never made to look complete when
 * it is not: if the client's body breaks off, or the exchange is cancelled, the upstream's connection is closed instead.
 *
 * <p>Runs on the request's event loop, the upstream's side too.
 */
public final class UpstreamExchange {
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

    private final UpstreamClients clients;
    private final HandshakeMetrics handshakes;

    public UpstreamExchange(UpstreamClients clients) {
        this.clients = clients;
        this.handshakes = clients.handshakes();
    }

    /**
     * Sends the request.
     *
     * @param received the request as it came, for its method and its body
     * @param target path and query, exactly as they are to be sent
     * @param head the fields as filters have left them; what this package owns of them is replaced
     * @return the answer's head, to be written or discarded by the caller; or {@link ForwardFailure}; or another error if it is
     *     the client's side that broke
     */
    public Mono<UpstreamAnswer> send(Permit permit, HttpServerRequest received, String target, HttpHeaders head) {
        var plan = ForwardPlan.of(permit.route());
        var eventLoop = ((Connection) received).channel().eventLoop();
        try {
            var client = clients.clientFor(plan.target(), eventLoop);
            var attempt = new Attempt(permit, plan, received, head);
            return client.request(received.method())
                    .uri(target)
                    .send(attempt::start)
                    .responseConnection(
                            (response, connection) -> Mono.just(new UpstreamAnswer(attempt, response, connection)))
                    .next()
                    .onErrorMap(attempt::failed);
        } catch (ForwardFailure e) {
            return Mono.error(e);
        }
    }

    /** One request on its way to the upstream, and what may go wrong with it. */
    final class Attempt {
        private final Permit permit;
        private final UpstreamTarget target;
        private final HttpServerRequest received;
        private final HttpHeaders head;
        private final AnswerGuard.Turn turn;
        private boolean connected;

        Attempt(Permit permit, ForwardPlan plan, HttpServerRequest received, HttpHeaders head) {
            this.permit = permit;
            this.target = plan.target();
            this.received = received;
            this.head = head;
            this.turn = new AnswerGuard.Turn(target.timeout(), plan.stream().of(permit.context()));
        }

        Permit permit() {
            return permit;
        }

        AnswerGuard.Turn turn() {
            return turn;
        }

        /** Called when there is a verified connection, and not before: nothing of the request has been sent until here. */
        Publisher<Void> start(HttpClientRequest request, NettyOutbound outbound) {
            connected = true;
            outbound.withConnection(this::begin);
            var out = request.requestHeaders();
            out.clear();
            RequestHeaders.write(permit, target, head, out);
            if (!RequestHeaders.announceBody(permit.context().head().headers())) {
                return outbound;
            }
            // As objects: as buffers, the client would collect the body of a GET or DELETE before it sends any of it.
            return outbound.sendObject(received.receive().retain().onErrorMap(ClientBroke::new));
        }

        private void begin(Connection connection) {
            var guard =
                    Objects.requireNonNull(connection.channel().pipeline().get(AnswerGuard.class), AnswerGuard.NAME);
            if (guard.begin(turn) && target.tls()) {
                handshakes.verified(permit.route().name());
            }
        }

        /** Ends the upstream's lease for a failure of the upstream, and makes a denial of it. */
        Throwable failed(Throwable error) {
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
            note(error, refused);
            var lease = permit.context().takeLease();
            if (lease != null) {
                if (error instanceof StreamOver) {
                    lease.abandoned();
                } else {
                    lease.failed(error);
                }
            }
            return new ForwardFailure(Objects.requireNonNull(FAILURES.get(reason), reason.code()), error);
        }

        private void note(Throwable error, @Nullable PeerRefused refused) {
            var context = permit.context();
            if (refused == null) {
                context.evidence(Evidence.CAUSE, String.valueOf(error));
                return;
            }
            context.evidence(
                    Evidence.UPSTREAM_EXPECTED_IDS, target.expectedIds().toString());
            context.evidence(Evidence.CAUSE, String.valueOf(refused.getMessage()));
            var actual = refused.actual();
            if (actual != null) {
                context.evidence(Evidence.UPSTREAM_SPIFFE_ID, actual.toString());
            }
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
                case ClosedChannelException _ when !connected && target.tls() -> Reason.FORWARD_TLS_FAILED;
                case IOException _ -> connected ? Reason.FORWARD_UPSTREAM_RESET : Reason.FORWARD_CONNECT_FAILED;
                default ->
                    AbortedException.isConnectionReset(error) ? Reason.FORWARD_UPSTREAM_RESET : Reason.FORWARD_FAILED;
            };
        }

        /** The upstream's connection ended, and its answer had not. */
        Throwable brokenOff() {
            return failed(new EOFException("the answer broke off"));
        }

        /** The answer has been received in full. */
        void answered(int status) {
            var lease = permit.context().takeLease();
            if (lease != null) {
                lease.answered(status);
            }
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
