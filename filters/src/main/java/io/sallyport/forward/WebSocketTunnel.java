// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.util.concurrent.Future;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.forward.upstream.StreamOver;
import io.sallyport.forward.upstream.UpstreamProtocolError;
import java.io.EOFException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket, from the upstream's 101 on: passes frames on as they are, each side's at the other's pace, until both have said
 * Close, or one breaks off, or it has lasted as long as it may. What breaks off on one side breaks off on the other.
 *
 * <p>Ends the client's exchange once, before the connections are closed, which it sees to by itself. Confined to the event loop of both
 * connections.
 */
final class WebSocketTunnel implements Tunnel {
    private static final Denial CLIENT_MALFORMED = new Denial.Rejected(Reason.FORWARD_WEBSOCKET_FRAME);

    private static final Denial STOPPED = new Denial.Unavailable(Reason.FORWARD_GATEWAY_STOPPED, Duration.ofSeconds(1));

    /** For the other side's Close after ours, and for ours to arrive. */
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);

    private final Attempt attempt;
    private final WebSocketPlan plan;
    private final EventLoop eventLoop;
    private final WebSocketEnd upstream;

    private @Nullable WebSocketEnd client;
    private @Nullable Future<?> lastDay;
    private @Nullable Future<?> idleTick;
    private @Nullable Future<?> closing;
    private long frames;
    private long framesBefore;
    private boolean stopping;
    private boolean ended;
    private boolean over;

    /** @param upstream a connection whose 101 has just been read: what follows there are frames */
    WebSocketTunnel(Attempt attempt, WebSocketPlan plan, Channel upstream) {
        this.attempt = attempt;
        this.plan = plan;
        this.eventLoop = upstream.eventLoop();
        this.upstream = WebSocketEnd.ofUpstream(upstream, plan.maxFrame());
    }

    @Override
    public void begin(Channel clientChannel, String before) {
        if (ended) {
            return;
        }
        var joining = WebSocketEnd.ofClient(clientChannel, before, plan.maxFrame());
        client = joining;
        lastDay = later(this::cut, attempt.rest());
        idleTick = later(this::lookForFrames, plan.idleTimeout());
        upstream.join(this);
        joining.join(this);
        if (!ended) {
            upstream.flush();
            joining.flush();
            upstream.read(joining.isWritable());
            joining.read(true);
        }
    }

    private Future<?> later(Runnable task, Duration delay) {
        return eventLoop.schedule(task, Math.max(0, delay.toNanos()), TimeUnit.NANOSECONDS);
    }

    private WebSocketEnd other(WebSocketEnd end) {
        return end == upstream ? Objects.requireNonNull(client) : upstream;
    }

    /** @param frame the callee's from here on */
    void arrived(WebSocketEnd from, WebSocketFrame frame) {
        if (over) {
            frame.release();
            return;
        }
        frames++;
        var to = other(from);
        var isClose = frame instanceof CloseWebSocketFrame;
        if (isClose) {
            from.closeReceived();
        }
        to.write(frame);
        if (isClose) {
            to.flush();
            closeReceived(from, to);
        } else if (!to.isWritable()) {
            from.read(false);
        }
    }

    private void closeReceived(WebSocketEnd from, WebSocketEnd to) {
        if (closing == null) {
            closing = later(this::notClosedInTime, CLOSE_WITHIN);
        }
        if (Objects.requireNonNull(client).isClosed()) {
            // Before its connection ends, which the server would take for a client that has gone, and break the
            // upstream's off.
            end(null);
        }
        if (from.isClosed() && to.isClosed()) {
            stop();
        }
        if (from.isClosed()) {
            closeSoon(from);
        }
        if (to.isClosed()) {
            closeSoon(to);
        }
    }

    private void closeSoon(WebSocketEnd end) {
        end.closeAfterAll();
        // Whoever does not take what was written does not hold the connection.
        var _ = later(end::close, CLOSE_WITHIN);
    }

    private void notClosedInTime() {
        end(null);
        stop();
        upstream.close();
        Objects.requireNonNull(client).close();
    }

    void readComplete(WebSocketEnd from) {
        other(from).flush();
    }

    void writabilityChanged(WebSocketEnd of) {
        other(of).read(of.isWritable());
    }

    /** That side's connection has ended. */
    void gone(WebSocketEnd side) {
        if (over) {
            return;
        }
        if (closing != null) {
            if (other(side).isCloseAwaited()) {
                return;
            }
            // In order, as far as it matters: somebody has said that it is over.
            end(null);
        } else if (side == upstream) {
            end(new EOFException("the upstream broke the WebSocket off"));
        }
        // That the client has gone is heard, and recorded, where its request is.
        stop();
        closeSoon(other(side));
    }

    /** That side sent what is no frame, or something else has happened to its connection. */
    void broke(WebSocketEnd side, Throwable error) {
        if (over) {
            return;
        }
        if (!(error instanceof CorruptedWebSocketFrameException frame)) {
            gone(side);
            side.close();
            return;
        }
        side.sayClose(frame.closeStatus());
        var problem = String.valueOf(frame.getMessage());
        if (side == upstream) {
            end(new UpstreamProtocolError(problem));
        } else {
            end(new ForwardFailure(CLIENT_MALFORMED.with(Evidence.Key.CAUSE, problem), frame));
        }
        stop();
        other(side).close();
        if (side == upstream) {
            // Not at once: closing with bytes unread resets the connection, under the Close frame on its way.
            var _ = later(side::close, CLOSE_WITHIN);
        } else {
            closeSoon(side);
        }
    }

    private void lookForFrames() {
        if (frames != framesBefore) {
            framesBefore = frames;
            idleTick = later(this::lookForFrames, plan.idleTimeout());
        } else {
            sayClose(WebSocketCloseStatus.ENDPOINT_UNAVAILABLE);
        }
    }

    /** It has lasted as long as it may. */
    private void cut() {
        sayClose(WebSocketCloseStatus.POLICY_VIOLATION);
        end(new StreamOver(attempt.longest()));
    }

    @Override
    public void goAway() {
        stopping = true;
        sayClose(WebSocketCloseStatus.ENDPOINT_UNAVAILABLE);
    }

    /** Says Close to both sides: that to the client; to the upstream, for whom nothing is the matter, that we go away. */
    private void sayClose(WebSocketCloseStatus toClient) {
        var told = client;
        if (told == null) {
            return;
        }
        told.sayClose(toClient);
        upstream.sayClose(WebSocketCloseStatus.ENDPOINT_UNAVAILABLE);
        if (closing == null) {
            closing = later(this::notClosedInTime, CLOSE_WITHIN);
        }
        // So that their own Close is read, whoever was slow.
        told.read(true);
        upstream.read(true);
    }

    private void end(@Nullable Throwable error) {
        if (ended) {
            return;
        }
        ended = true;
        if (error == null) {
            attempt.settle();
            if (stopping) {
                attempt.client().fail(new ForwardFailure(STOPPED, null));
            } else {
                attempt.client().tunnelClosed();
            }
        } else {
            attempt.client().fail(attempt.failureOf(error));
        }
    }

    /** Nothing is to happen by itself any more. */
    private void stop() {
        over = true;
        for (var task : new Future<?>[] {lastDay, idleTick, closing}) {
            if (task != null) {
                task.cancel(false);
            }
        }
    }

    /** The client's connection has ended, or is to. */
    void clientLeft() {
        if (!ended) {
            ended = true;
            breakOff();
        }
    }

    /** Closes both connections without a word. */
    void breakOff() {
        stop();
        upstream.close();
        if (client != null) {
            client.close();
        }
    }
}
