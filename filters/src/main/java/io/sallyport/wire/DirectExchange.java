// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GenericFutureListener;
import io.sallyport.decision.Denial;
import io.sallyport.forward.AnswerWriter;
import io.sallyport.forward.DirectForwarder;
import io.sallyport.forward.UpstreamAnswer;
import io.sallyport.ingress.Ingress;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.Permit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;

/**
 * An exchange of a request of HTTP/1.1 that has no body and only goes to an upstream: its answer is written by {@link
 * Http1Requests}, without anything of Reactor Netty's server.
 */
final class DirectExchange extends Exchange
        implements CoreSubscriber<UpstreamAnswer>, GenericFutureListener<Future<? super Void>> {
    private final Judged judged;
    private final DirectForwarder forwarder;
    private final ChannelHandlerContext client;
    private final Http1Requests connection;
    private final boolean last;
    private final LongAdder open;

    private int status;
    private @Nullable AnswerWriter writer;

    /**
     * @param client where the answer is written
     * @param connection takes the next request when this one has its answer
     * @param last whether the client wants its connection to end with it
     * @param open counts those that have begun and not ended
     */
    DirectExchange(
            Ingress ingress,
            Judged judged,
            DirectForwarder forwarder,
            ChannelHandlerContext client,
            Http1Requests connection,
            boolean last,
            LongAdder open) {
        super(ingress, judged.context(), client.channel());
        this.judged = judged;
        this.forwarder = forwarder;
        this.client = client;
        this.connection = connection;
        this.last = last;
        this.open = open;
    }

    void begin() {
        open.increment();
        settle(judged.admission());
    }

    /** Whether the connection ends with the answer. */
    boolean isLast() {
        return last;
    }

    /** The client has taken some of what was written to it, or too much waits for it. */
    void writabilityChanged() {
        if (writer != null) {
            writer.writabilityChanged();
        }
    }

    @Override
    void forward(Permit permit) {
        forwarder.ask(permit, channel, this);
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        proceed(subscription, 1);
    }

    @Override
    public void onNext(UpstreamAnswer answer) {
        status = answer.status().code();
        var written = client.newPromise();
        written.addListener(this);
        try {
            writer = answer.writeTo(client, connection.endsWith(this), written);
        } catch (RuntimeException e) {
            answer.discard();
            failed(e);
        }
    }

    @Override
    public void operationComplete(Future<? super Void> written) {
        if (written.isSuccess()) {
            answered();
        } else {
            failed(written.cause());
        }
    }

    @Override
    public void onError(Throwable error) {
        failed(error);
    }

    @Override
    public void onComplete() {
        // The answer is not written for that.
    }

    @Override
    void conclude(Outcome outcome) {
        open.decrement();
        super.conclude(outcome);
    }

    @Override
    int status() {
        return status;
    }

    @Override
    boolean isCut() {
        return !channel.isActive();
    }

    @Override
    void refuse(Denial denial) {
        connection.refuse(client, this, denial);
    }

    @Override
    void complete() {
        connection.answered(client, this);
    }

    @Override
    void abort() {
        Wire.abort(channel, false);
    }
}
