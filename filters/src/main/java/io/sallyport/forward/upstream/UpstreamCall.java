// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One request on this connection and its answer: its head, the parts of its body, then its end; or a failure in place of what
 * is still to come. Told on the connection's event loop, after a failure or the end nothing more.
 */
public abstract class UpstreamCall {
    private final Duration timeout;
    private final Duration longest;
    private long began;
    private boolean requestSent;

    /**
     * One that has not begun.
     *
     * @param timeout the longest silence
     * @param longest the longest that all of it may take
     */
    protected UpstreamCall(Duration timeout, Duration longest) {
        this.timeout = timeout;
        this.longest = longest;
    }

    void begin() {
        if (began == 0) {
            began = System.nanoTime();
        }
        requestSent = false;
    }

    void requestSent() {
        requestSent = true;
    }

    /** Whether the upstream has been sent all of the request. */
    final boolean isRequestSent() {
        return requestSent;
    }

    final Duration timeout() {
        return timeout;
    }

    /** The upstream takes more of the request's body, or no more for now. */
    protected abstract void writabilityChanged();

    /** An interim answer, not 101; another follows. */
    protected void interim(HttpResponse head) {}

    /** The answer begins; no interim one. */
    protected abstract void head(HttpResponse head);

    /**
     * Some of its body.
     *
     * @param content not empty; the callee's from here on
     */
    protected abstract void part(ByteBuf content);

    /** All that has arrived so far has been passed on, and the answer is not at its end. */
    protected abstract void readComplete();

    /** The answer came to its proper end, as opposed to the connection's. */
    protected abstract void end(HttpHeaders trailers);

    /** What is still to come will not: the connection ended, was silent for too long, or brought what is no answer. */
    protected abstract void failed(Throwable why);

    /**
     * The connection, on which other requests had been answered, ended before anything of this answer had come.
     *
     * @return whether the call begins once more on another; if not, it fails
     */
    protected boolean repeat() {
        return false;
    }

    /** What is wrong with a 101 as the answer to this request; null if it is what was asked for. */
    protected @Nullable String problemOfSwitch(HttpResponse head) {
        return "status " + head.status().code();
    }

    /** That answer has come: the connection, which follows no rule of {@link UpstreamConnection} any more, is the callee's from here on. */
    protected void switched(HttpResponse head, Channel connection) {
        throw new IllegalStateException("a switch that is a problem");
    }

    /** The longest that all of it may take. */
    public final Duration longest() {
        return longest;
    }

    /** How much of the time that all of it may take is left. */
    public final Duration rest() {
        return longest.minusNanos(System.nanoTime() - began);
    }
}
