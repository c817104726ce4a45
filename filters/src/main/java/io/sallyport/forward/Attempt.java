// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.forward.upstream.PoolRetired;
import io.sallyport.forward.upstream.UpstreamCall;
import io.sallyport.forward.upstream.UpstreamConnection;
import io.sallyport.forward.upstream.UpstreamPool;
import io.sallyport.pipeline.Permit;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One permitted request on its way to the upstream, and its answer on the way back. Bodies are streamed in both directions, at the
 * pace of the slower side.
 *
 * <p>The request is sent once. It is sent once more if a connection that had been used before ended without a byte of an answer, and
 * the request has no body and is a GET, HEAD or OPTIONS: on a new connection, which has to prove its identity like any other. No
 * redirect is followed. The request never looks complete when it is not: if the client's body breaks off, or the client leaves, the
 * upstream's connection is closed instead, or its stream reset.
 *
 * <p>Runs on the request's event loop, the upstream's side too.
 */
public final class Attempt extends UpstreamCall implements ClientExchange.Leave {
    private static final Denial LOOP = new Denial.UpstreamFailed(Reason.FORWARD_LOOP);
    private static final Denial WENT_ON = new Denial.Rejected(Reason.FORWARD_WEBSOCKET_MALFORMED);

    private final UpstreamClient upstreams;
    private final Permit permit;
    private final ForwardPlan plan;
    private final ClientExchange client;
    private final String requestTarget;
    private final HttpHeaders head;
    private final UpstreamClient.Caller caller;
    private final AnswerBody body;

    private @Nullable HttpHeaders identity;
    private @Nullable WebSocketHandshake handshake;
    private @Nullable WebSocketTunnel webSocket;
    private @Nullable UpstreamConnection connection;
    private @Nullable Upload upload;
    private @Nullable UpstreamAnswer answer;
    private boolean answered;
    private boolean cancelled;
    private boolean rerouted;
    private boolean repeated;

    Attempt(
            UpstreamClient upstreams,
            Permit permit,
            ClientExchange client,
            String requestTarget,
            HttpHeaders head,
            UpstreamClient.Caller caller) {
        var plan = ForwardPlan.of(permit.route());
        super(plan.target().timeout(), plan.stream().of(permit.context()));
        this.upstreams = upstreams;
        this.permit = permit;
        this.plan = plan;
        this.client = client;
        this.requestTarget = requestTarget;
        this.head = head;
        this.caller = caller;
        this.body = new AnswerBody(this);
    }

    Permit permit() {
        return permit;
    }

    /** The path that the upstream is asked for. */
    String requestPath() {
        return RequestHeaders.pathOf(requestTarget);
    }

    ClientExchange client() {
        return client;
    }

    /** Sends the request. The caller is told what comes of it, at once or later, unless the client leaves before. */
    public void begin() {
        if (permit.context().head().isHttp2()) {
            // A reset may have come in the same bytes (CVE-2023-44487). It is read first: then a flood of requests
            // that are taken back at once costs the upstream nothing, and no connection for each.
            client.eventLoop().execute(this::start);
        } else {
            start();
        }
    }

    private void start() {
        if (cancelled || client.hasLeft()) {
            return;
        }
        try {
            if (Via.names(permit.context().head().headers())) {
                throw new ForwardFailure(LOOP, null);
            }
            if (plan.webSocket() != null) {
                shakeHands(plan.webSocket());
            }
            if (plan.disclosure().tells()) {
                // Before there is a connection: one that carries nothing would have to be closed.
                identity = upstreams.identityOf(permit, plan.disclosure());
            }
            connect();
        } catch (RuntimeException e) {
            failed(e);
        }
    }

    private void connect() {
        var pool = upstreams.connections().poolFor(plan.target(), client.eventLoop());
        pool.acquire(taken -> connected(taken, pool), this::notConnected, () -> cancelled, repeated);
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

    @Override
    protected boolean repeat() {
        if (repeated || cancelled || upload != null || handshake != null || !isSafe()) {
            return false;
        }
        repeated = true;
        connection = null;
        try {
            connect();
        } catch (ForwardFailure e) {
            failed(e);
        }
        return true;
    }

    private boolean isSafe() {
        var method = permit.context().head().method();
        return method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD) || method.equals(HttpMethod.OPTIONS);
    }

    /** Prepares for a WebSocket if the request asks for one. */
    private void shakeHands(WebSocketPlan plan) {
        var asked = permit.context().head();
        // RFC 9110 section 7.8: HTTP/1.0 cannot ask for another protocol.
        if (asked.isHttp10() || !WebSocketHandshake.isAskedFor(asked.headers())) {
            return;
        }
        var refusal = WebSocketHandshake.refusalOf(asked, plan);
        if (refusal != null) {
            throw new ForwardFailure(refusal, null);
        }
        if (!client.awaitSwitch(this::clientWentOn)) {
            throw new ForwardFailure(WENT_ON, null);
        }
        handshake = WebSocketHandshake.of(asked.headers());
    }

    /** What the client sent could be a frame or a request: nobody knows before the upstream's answer, and then it may be either. */
    private void clientWentOn() {
        if (webSocket != null) {
            webSocket.breakOff();
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
        if (taken.begin(this) && plan.target().tls()) {
            upstreams.connections().handshakes().verified(permit.route().name());
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
        var out =
                DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
        RequestHeaders.write(permit, head, identity, requestTarget, out);
        if (handshake != null) {
            handshake.writeRequest(out);
        }
        var received = permit.context().head();
        if (!RequestHeaders.announceBody(received.headers())) {
            taken.send(new DefaultFullHttpRequest(
                    HttpVersion.HTTP_1_1,
                    received.method(),
                    requestTarget,
                    Unpooled.EMPTY_BUFFER,
                    out,
                    EmptyHttpHeaders.INSTANCE));
            return;
        }
        taken.send(new DefaultHttpRequest(HttpVersion.HTTP_1_1, received.method(), requestTarget, out));
        upload = new Upload(client.body(), taken);
        upload.begin();
    }

    @Override
    protected void writabilityChanged() {
        if (upload != null) {
            upload.writabilityChanged();
        }
    }

    @Override
    protected void interim(HttpResponse head) {
        if (!cancelled) {
            client.interim(head.status(), ResponseHeaders.interim(permit, head.headers()));
        }
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
        body.readComplete();
    }

    @Override
    protected void end(HttpHeaders trailers) {
        stopSending();
        settle();
        body.complete(trailers.isEmpty() ? trailers : ResponseHeaders.trailers(trailers));
        answer();
    }

    @Override
    protected @Nullable String problemOfSwitch(HttpResponse head) {
        return handshake == null ? super.problemOfSwitch(head) : handshake.problemOf(head.headers());
    }

    @Override
    protected void switched(HttpResponse head, Channel connection) {
        webSocket = new WebSocketTunnel(this, Objects.requireNonNull(plan.webSocket()), connection);
        var lease = permit.context().lease();
        if (lease != null) {
            lease.lasting();
        }
        answer = new UpstreamAnswer(this, head, body);
        answer();
    }

    /** Whether the upstream has agreed to a WebSocket. */
    boolean hasSwitched() {
        return webSocket != null;
    }

    /**
     * Makes a WebSocket of the client's connection.
     *
     * @param agreed the head of the upstream's 101
     * @param out the head of ours, but for the handshake
     */
    void switchClient(HttpHeaders agreed, HttpHeaders out) {
        Objects.requireNonNull(handshake).writeAnswer(agreed, out);
        client.switchProtocol(out, Objects.requireNonNull(webSocket));
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
            try {
                caller.answered(answer);
            } catch (RuntimeException e) {
                clientLeft();
                client.fail(e);
            }
        }
    }

    /** So much of the body is here that it has to be passed on before any more is read. */
    void pauseUntilTaken() {
        pause();
        answer();
    }

    void pause() {
        if (connection != null) {
            connection.pause();
        }
    }

    void resume() {
        if (connection != null) {
            connection.resume();
        }
    }

    @Override
    public void clientLeft() {
        cancelled = true;
        body.drop();
        stopSending();
        if (connection != null) {
            connection.leave(this);
        }
        if (webSocket != null) {
            webSocket.clientLeft();
        }
    }

    private void abandon() {
        stopSending();
        if (connection != null) {
            connection.abandon(this);
        }
    }

    private void stopSending() {
        if (upload != null) {
            upload.stop();
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
            body.drop();
            caller.failed(client, failure);
        }
    }

    /** Ends the upstream's lease for a failure of the upstream, and makes a denial of it. */
    ForwardFailure failureOf(Throwable error) {
        return error instanceof ForwardFailure failure
                ? failure
                : UpstreamFailures.of(
                        error,
                        permit,
                        plan.target(),
                        connection != null,
                        upstreams.connections().handshakes());
    }
}
