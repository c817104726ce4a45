// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerUpgradeHandler;
import io.netty.util.ReferenceCountUtil;
import io.sallyport.decision.Reason;
import io.sallyport.edge.HeadLimits;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What passes the guard, what does not, and what it tells of it. */
class FramingGuardTest {
    private static final HeadLimits LIMITS = new HeadLimits(8192, 16_384);
    private static final String GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private static final String CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    private static final String UPGRADE =
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

    private final List<String> told = new ArrayList<>();
    private final List<Malformed> refused = new ArrayList<>();
    private final FramingGuard guard = new FramingGuard(LIMITS);

    /** Stands behind the guard. */
    private final ChannelHandler collector = new ChannelInboundHandlerAdapter() {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof Malformed malformed) {
                told.add("refused");
                refused.add(malformed);
            } else {
                context.fireChannelRead(message);
            }
        }
    };

    @Test
    void good_bytes_pass_as_the_buffer_that_they_came_in() {
        var channel = new EmbeddedChannel(guard, collector);
        var bytes = buffer(GET + GET);

        channel.writeInbound(bytes);

        assertThat(read(channel)).isSameAs(bytes);
        assertThat(bytes.readableBytes()).isEqualTo(2 * GET.length());
        bytes.release();
        assertThat(refused).isEmpty();
    }

    @Test
    void nothing_of_a_refused_head_passes_and_nothing_after_it() {
        var channel = new EmbeddedChannel(guard, collector);
        var bad = buffer("GET / HTTP/1.1\r\nHost : a\r\n\r\n");
        var later = buffer(GET);

        channel.writeInbound(bad, later);

        assertThat(read(channel)).isNull();
        assertThat(refused).containsExactly(new Malformed(Reason.EDGE_HEADER_MALFORMED, false));
        assertThat(bad.refCnt()).isZero();
        assertThat(later.refCnt()).isZero();
    }

    @Test
    void whole_requests_before_the_refused_one_pass_first() {
        var passed = new ArrayList<String>();
        var channel = new EmbeddedChannel(guard, collector, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                told.add("passed");
                passed.add(((ByteBuf) message).toString(StandardCharsets.US_ASCII));
                ReferenceCountUtil.release(message);
            }
        });
        var bytes = buffer(GET + "GET / HTTP/1.1\r\n Host: a\r\n\r\n");

        channel.writeInbound(bytes);

        assertThat(passed).containsExactly(GET);
        assertThat(told).containsExactly("passed", "refused");
        assertThat(bytes.refCnt()).isZero();
    }

    @Test
    void a_body_that_breaks_after_its_head_has_passed_is_told_as_a_body() {
        var channel = new EmbeddedChannel(guard, collector);
        channel.writeInbound(buffer(CHUNKED + "5\r\nhello\r\n"));
        ReferenceCountUtil.release(channel.readInbound());

        channel.writeInbound(buffer("5\nworld\n0\n\n"));

        assertThat(read(channel)).isNull();
        assertThat(refused).containsExactly(new Malformed(Reason.EDGE_BODY_MALFORMED, true));
    }

    @Test
    void a_body_that_breaks_together_with_its_head_never_begins() {
        var channel = new EmbeddedChannel(guard, collector);

        channel.writeInbound(buffer(CHUNKED + "5\nhello\n0\n\n"));

        assertThat(read(channel)).isNull();
        assertThat(refused).containsExactly(new Malformed(Reason.EDGE_BODY_MALFORMED, false));
    }

    @Test
    void a_body_that_ends_with_the_connection_is_told_before_anybody_sees_the_end() {
        var channel = new EmbeddedChannel(guard, collector, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelInactive(ChannelHandlerContext context) {
                told.add("inactive");
            }
        });
        channel.writeInbound(buffer(CHUNKED + "5\r\nhel"));
        ReferenceCountUtil.release(channel.readInbound());

        channel.unsafe().close(channel.voidPromise());

        assertThat(told).containsExactly("refused", "inactive");
        assertThat(refused).containsExactly(new Malformed(Reason.EDGE_BODY_MALFORMED, true));
    }

    @Test
    void a_connection_that_ends_between_requests_is_no_refusal() {
        var channel = new EmbeddedChannel(guard, collector);
        channel.writeInbound(buffer(GET));
        ReferenceCountUtil.release(channel.readInbound());

        channel.unsafe().close(channel.voidPromise());

        assertThat(refused).isEmpty();
    }

    @Test
    void a_body_that_the_gateway_itself_cuts_by_closing_is_no_refusal() {
        var channel = new EmbeddedChannel(guard, collector);
        channel.writeInbound(buffer(CHUNKED + "5\r\nhel"));
        ReferenceCountUtil.release(channel.readInbound());

        assertThat(channel.close().isSuccess()).isTrue();

        assertThat(refused).isEmpty();
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void what_is_read_while_the_gateway_closes_does_not_pass() {
        var closing = new ChannelOutboundHandlerAdapter() {
            @Override
            public void close(ChannelHandlerContext context, ChannelPromise promise) {
                told.add("closing");
            }
        };
        var channel = new EmbeddedChannel(closing, guard, collector);
        var later = buffer(GET);

        assertThat(channel.close().isDone()).isFalse();
        channel.writeInbound(later);

        assertThat(told).containsExactly("closing");
        assertThat(read(channel)).isNull();
        assertThat(later.refCnt()).isZero();
    }

    /** After "h2c smuggling" by Jake Miller (2020). */
    @Test
    void an_upgrade_to_http2_in_plaintext_ends_at_its_preface_whatever_the_pipeline_would_do() {
        var codec = new HttpServerCodec();
        var upgraded = new ArrayList<CharSequence>();
        var channel = new EmbeddedChannel(guard, collector, codec, new HttpServerUpgradeHandler(codec, protocol -> {
            upgraded.add(protocol);
            return null;
        }));

        channel.writeInbound(
                buffer(
                        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"));
        channel.writeInbound(buffer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));

        assertThat(upgraded).containsExactly("h2c");
        assertThat(refused).containsExactly(new Malformed(Reason.EDGE_REQUEST_LINE_MALFORMED, false));
        channel.finishAndReleaseAll();
    }

    @Test
    void what_a_client_sends_while_it_waits_for_another_protocol_is_read_in_none() {
        var channel = new EmbeddedChannel(guard, collector);
        channel.writeInbound(buffer(UPGRADE));
        assertThat(guard.awaitSwitch(1, () -> told.add("went on"))).isTrue();
        received(channel);

        channel.writeInbound(buffer(GET));
        channel.writeInbound(buffer(GET));

        assertThat(told).containsExactly("went on");
        assertThat(read(channel)).isNull();
        assertThat(refused).isEmpty();
    }

    @Test
    void a_client_that_has_sent_on_after_its_request_cannot_have_another_protocol() {
        for (var more : List.of("G", GET, UPGRADE, "\r", "\u0081")) {
            var guard = new FramingGuard(LIMITS);
            var channel = new EmbeddedChannel(guard);

            channel.writeInbound(buffer(UPGRADE + more));

            assertThat(guard.awaitSwitch(1, () -> {})).isFalse();
            channel.finishAndReleaseAll();
        }
    }

    @Test
    void what_came_before_its_request_does_not_matter() {
        var channel = new EmbeddedChannel(guard, collector);

        channel.writeInbound(buffer(UPGRADE + UPGRADE));

        assertThat(guard.awaitSwitch(2, () -> {})).isTrue();
        channel.finishAndReleaseAll();
    }

    private static @Nullable Object read(EmbeddedChannel channel) {
        return channel.readInbound();
    }

    private static String received(EmbeddedChannel channel) {
        var text = new StringBuilder();
        for (ByteBuf bytes = channel.readInbound(); bytes != null; bytes = channel.readInbound()) {
            text.append(bytes.toString(StandardCharsets.US_ASCII));
            bytes.release();
        }
        return text.toString();
    }

    private static ByteBuf buffer(String bytes) {
        return Unpooled.copiedBuffer(bytes, StandardCharsets.ISO_8859_1);
    }
}
