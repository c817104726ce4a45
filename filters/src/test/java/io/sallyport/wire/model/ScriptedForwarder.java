// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.forward.Body;
import io.sallyport.forward.ClientExchange;
import io.sallyport.forward.Forwarder;
import io.sallyport.forward.Tunnel;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.pipeline.Permit;
import io.sallyport.wire.model.Request.Upgrade;
import io.sallyport.wire.model.Script.Death;
import io.sallyport.wire.model.Script.Framing;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Does with each request what its {@link Script} says, one step at a time, as upstream and forwarder in one: connects, reads the body
 * at its own pace, answers in parts, fails. Holds the wire to what {@link ClientExchange} and {@link Body} promise.
 */
final class ScriptedForwarder implements Forwarder {
    private static final Denial WENT_ON = new Denial.Rejected(Reason.FORWARD_WEBSOCKET_MALFORMED);
    private static final Denial RESET = new Denial.UpstreamFailed(Reason.FORWARD_UPSTREAM_RESET);

    /** Bytes of a body that are written before the upstream has to take some. */
    private static final int UPLOAD_MARK = 500;

    private static final int LONGEST_DELAY = 3;

    private final Runs runs;
    private final ByteBufAllocator allocator;
    private Random random = new Random(0);
    private @Nullable Attempt current;
    private @Nullable String violation;

    ScriptedForwarder(Runs runs, ByteBufAllocator allocator) {
        this.runs = runs;
        this.allocator = allocator;
    }

    /** @param random decides from here on what scripts leave open */
    void begin(Random random) {
        this.random = random;
        current = null;
        violation = null;
    }

    @Override
    public void forward(Permit permit, ClientExchange client) {
        permit.redeem();
        require(current == null || current.over, "a request is forwarded while another one is");
        var attempt = new Attempt(permit, client);
        current = attempt;
        client.onLeave(attempt);
        attempt.begin();
    }

    boolean hasStep() {
        return current != null && current.hasStep();
    }

    void step() {
        if (current != null) {
            current.step();
        }
    }

    /** What the wire has done that it must not; null if it has done nothing. */
    @Nullable
    String violation() {
        return violation;
    }

    private void require(boolean condition, String otherwise) {
        if (!condition) {
            // Whoever calls would take an exception for an upstream's failure.
            violation = otherwise;
        }
    }

    private static HttpHeaders newHeaders() {
        return DefaultHttpHeadersFactory.headersFactory().newHeaders();
    }

    private final class Attempt implements ClientExchange.Leave {
        private final Run run;
        private final int number;
        private final Request request;
        private final Script script;
        private final String id;
        private final String requestId;
        private final ClientExchange client;
        private final boolean reads;

        private boolean connected;
        private @Nullable Upload upload;
        private int delay;
        private boolean hinted;
        private boolean repeated;
        private @Nullable Answer answer;
        boolean over;

        Attempt(Permit permit, ClientExchange client) {
            var context = permit.context();
            var target = context.head().target();
            this.run = Objects.requireNonNull(runs.of(target));
            this.number = Runs.numberOf(target);
            this.request = run.request(number);
            this.script = request.script;
            this.id = target.substring(1);
            this.requestId = context.requestId().toString();
            this.client = client;
            this.reads = !script.early() || random.nextBoolean();
            this.delay = Math.min(LONGEST_DELAY, script.delayMillis());
        }

        void begin() {
            if (request.upgrade == Upgrade.ALLOWED && !client.awaitSwitch(this::clientWentOn)) {
                fail(WENT_ON);
            } else if (random.nextBoolean()) {
                connect();
            }
        }

        private void clientWentOn() {
            if (!over && answer == null) {
                fail(WENT_ON);
            }
        }

        private void connect() {
            connected = true;
            if (client.hasLeft()) {
                over = true;
                return;
            }
            run.begun(number);
            if (!request.hasBody()) {
                run.whole(number, new byte[0]);
            } else if (reads) {
                upload = new Upload();
                client.body().take(upload);
            }
        }

        boolean hasStep() {
            return !over && (!connected || mayAnswer() || (upload != null && upload.blocked));
        }

        private boolean mayAnswer() {
            boolean ready = script.early() || !request.hasBody() || (upload != null && upload.whole);
            return ready && (answer == null ? script.death() != Death.SILENT : answer.hasStep());
        }

        void step() {
            if (!connected) {
                connect();
            } else if (upload != null && upload.blocked && (!mayAnswer() || random.nextBoolean())) {
                upload.drain();
            } else if (answer != null) {
                answer.step();
            } else if (delay > 0) {
                delay--;
            } else if (script.hints() && !hinted) {
                hinted = true;
                client.interim(HttpResponseStatus.EARLY_HINTS, newHeaders().add("link", "</a>"));
            } else {
                answer();
            }
        }

        private void answer() {
            if (script.death() == Death.FIRST_TIME && !repeated) {
                endForTheFirstTime();
                return;
            }
            switch (script.death()) {
                case BEFORE_HEAD, IN_HEAD, NONSENSE -> fail(RESET);
                default -> {
                    var head = newHeaders().set("x-echo", id).set("x-request-id", requestId);
                    if (script.status() == 101) {
                        over = true;
                        head.set(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET)
                                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE);
                        client.switchProtocol(head, new Echo(client));
                        return;
                    }
                    var status = HttpResponseStatus.valueOf(script.status());
                    if (script.framing() == Framing.LENGTH && script.status() != 204) {
                        head.set(HttpHeaderNames.CONTENT_LENGTH, script.length());
                    }
                    if (script.allowsBody(request.method)) {
                        answer = new Answer();
                        client.answer(status, head, answer);
                    } else {
                        end();
                        client.answer(status, head, Body.NONE);
                    }
                }
            }
        }

        /** The connection ends. If others had used it, and nothing had come, another is made. */
        private void endForTheFirstTime() {
            if (!request.isRepeatable() || hinted || random.nextBoolean()) {
                fail(RESET);
            } else {
                repeated = true;
                run.begun(number);
                run.whole(number, new byte[0]);
            }
        }

        private void fail(Denial denial) {
            over = true;
            client.fail(new ForwardFailure(denial, null));
        }

        /** As with an upstream that has answered completely: what is left of the request is of no use. */
        private void end() {
            over = true;
            if (upload != null && !upload.whole) {
                upload.stopped = true;
                client.body().discard();
            }
        }

        @Override
        public void clientLeft() {
            over = true;
            if (upload != null) {
                upload.stopped = true;
            }
            if (answer != null) {
                answer.discard();
            }
        }

        /** Reads the request's body, as far as the upstream takes it: what is not flushed it does not get. */
        private final class Upload implements Body.Taker {
            private final ByteArrayOutputStream received = new ByteArrayOutputStream();
            private int written;
            private int flushed;
            boolean blocked;
            boolean stopped;
            boolean whole;

            @Override
            public void part(ByteBuf content) {
                require(!whole, "a part behind the end of a body");
                require(content.isReadable(), "an empty part");
                written += content.readableBytes();
                if (!stopped) {
                    received.writeBytes(ByteBufUtil.getBytes(content));
                }
                content.release();
                if (!stopped && !blocked && written > UPLOAD_MARK) {
                    blocked = true;
                    client.body().want(false);
                }
            }

            @Override
            public void pause() {
                flushed = written;
            }

            void drain() {
                written -= flushed;
                flushed = 0;
                if (written <= UPLOAD_MARK) {
                    blocked = false;
                    client.body().want(true);
                }
            }

            @Override
            public void end(HttpHeaders trailers) {
                require(!whole, "two ends of a body");
                whole = true;
                blocked = false;
                if (!stopped) {
                    run.whole(number, received.toByteArray());
                }
            }

            @Override
            public void failed(Throwable why) {
                stopped = true;
            }
        }

        /** The answer's body as it arrives from the upstream. */
        private final class Answer implements Body {
            private final ArrayDeque<byte[]> toCome = new ArrayDeque<>();
            private final ArrayDeque<byte[]> here = new ArrayDeque<>();
            private boolean complete;
            private boolean paused;
            private boolean done;
            private @Nullable Taker taker;

            Answer() {
                var all = Script.body(id, script.length());
                int end = script.death() == Death.IN_BODY || script.death() == Death.ENDLESS
                        ? all.length / 2
                        : all.length;
                int each = end / script.pieces() + 1;
                for (int from = 0; from < end; from += each) {
                    toCome.add(Arrays.copyOfRange(all, from, Math.min(end, from + each)));
                }
                while (random.nextBoolean() && !complete) {
                    arrive();
                }
            }

            private void arrive() {
                var part = toCome.poll();
                if (part != null) {
                    here.add(part);
                } else if (script.death() == Death.NEVER || script.death() == Death.FIRST_TIME) {
                    complete = true;
                }
            }

            boolean hasStep() {
                return taker != null && !done && !paused && !(script.death() == Death.ENDLESS && toCome.isEmpty());
            }

            void step() {
                var to = taker;
                if (to == null) {
                    return;
                }
                if (toCome.isEmpty() && script.death() == Death.IN_BODY) {
                    done = true;
                    end();
                    to.failed(new ForwardFailure(RESET, null));
                    return;
                }
                do {
                    arrive();
                } while (!complete && !toCome.isEmpty() && random.nextBoolean());
                pass(to);
                if (!done) {
                    to.pause();
                }
            }

            private void pass(Taker to) {
                for (var part = here.poll(); part != null && !done; part = here.poll()) {
                    to.part(copy(part));
                }
                if (complete && !done) {
                    done = true;
                    end();
                    to.end(trailers());
                }
            }

            private ByteBuf copy(byte[] part) {
                return allocator.buffer(part.length).writeBytes(part);
            }

            @Override
            public @Nullable ByteBuf takeWhole(ByteBufAllocator allocator) {
                if (!complete || done) {
                    return null;
                }
                done = true;
                end();
                var whole = allocator.buffer();
                here.forEach(whole::writeBytes);
                return whole;
            }

            @Override
            public HttpHeaders trailers() {
                return complete && script.trailers() && script.framing() == Framing.CHUNKED
                        ? newHeaders().set("x-trailer", id)
                        : EmptyHttpHeaders.INSTANCE;
            }

            @Override
            public void take(Taker taker) {
                require(this.taker == null && !done, "a body is taken twice");
                this.taker = taker;
                pass(taker);
            }

            @Override
            public void want(boolean more) {
                paused = !more;
            }

            @Override
            public void discard() {
                done = true;
            }
        }
    }

    /** A WebSocket whose other side sends every frame back. */
    @SuppressWarnings("FutureReturnValueIgnored") // what comes of it the client sees
    private static final class Echo extends SimpleChannelInboundHandler<ByteBuf> implements Tunnel {
        private static final int HEAD = 6;
        private static final int CLOSE = 8;

        private final ClientExchange client;
        private final ByteArrayOutputStream received = new ByteArrayOutputStream();
        private @Nullable ChannelHandlerContext context;
        private boolean closed;

        Echo(ClientExchange client) {
            this.client = client;
        }

        @Override
        public void begin(Channel channel, String before) {
            channel.pipeline().addBefore(before, "echo", this);
            channel.config().setAutoRead(true);
        }

        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            this.context = context;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf bytes) {
            received.writeBytes(ByteBufUtil.getBytes(bytes));
            var all = received.toByteArray();
            int at = 0;
            while (!closed && all.length - at >= HEAD && all.length - at >= HEAD + (all[at + 1] & 0x7f)) {
                int length = all[at + 1] & 0x7f;
                var frame = context.alloc().buffer().writeByte(all[at]).writeByte(length);
                for (int i = 0; i < length; i++) {
                    frame.writeByte(all[at + HEAD + i] ^ all[at + 2 + i % 4]);
                }
                context.write(frame, context.voidPromise());
                closed = (all[at] & 0x0f) == CLOSE;
                at += HEAD + length;
            }
            received.reset();
            received.write(all, at, all.length - at);
            if (closed) {
                close(context);
            } else {
                context.flush();
            }
        }

        private void close(ChannelHandlerContext context) {
            client.tunnelClosed();
            context.writeAndFlush(context.alloc().buffer(0)).addListener(_ -> context.close());
        }

        /** {@inheritDoc} */
        @Override
        public void goAway() {
            var here = context;
            if (here != null && !closed) {
                closed = true;
                here.write(
                        here.alloc().buffer().writeBytes(new byte[] {(byte) 0x88, 2, 3, (byte) 0xe9}),
                        here.voidPromise());
                close(here);
            }
        }
    }
}
