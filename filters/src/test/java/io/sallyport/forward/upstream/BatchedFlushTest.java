// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.DefaultEventExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When what streams write reaches the socket. */
// An embedded channel keeps what is written; its own executor has no turns.
@SuppressWarnings({"FutureReturnValueIgnored", "deprecation"})
class BatchedFlushTest {
    private final DefaultEventExecutor loop = new DefaultEventExecutor();
    private int flushes;
    private final EmbeddedChannel channel = new EmbeddedChannel(new ChannelOutboundHandlerAdapter() {
        @Override
        public void flush(ChannelHandlerContext context) {
            flushes++;
            context.flush();
        }
    });

    BatchedFlushTest() {
        channel.pipeline().addLast(loop, new BatchedFlush());
        inOneTurn(() -> {});
    }

    @AfterEach
    void close() {
        loop.shutdownGracefully(0, 0, TimeUnit.SECONDS);
        channel.finishAndReleaseAll();
    }

    @Test
    void all_of_one_turn_goes_out_with_one_flush() {
        inOneTurn(() -> {
            flush("a");
            flush("b");
            assertThat(channel.outboundMessages()).isEmpty();
        });

        assertThat(flushes).isOne();
        assertThat(channel.outboundMessages()).containsExactly("a", "b");
    }

    @Test
    void the_next_turn_has_a_flush_of_its_own() {
        inOneTurn(() -> flush("a"));
        inOneTurn(() -> flush("b"));

        assertThat(flushes).isEqualTo(2);
        assertThat(channel.outboundMessages()).containsExactly("a", "b");
    }

    @Test
    void a_turn_without_a_flush_has_none() {
        inOneTurn(() -> channel.pipeline().write("a"));

        assertThat(flushes).isZero();
    }

    @Test
    void what_is_due_goes_out_before_the_connection_is_closed() {
        inOneTurn(() -> {
            flush("a");
            channel.pipeline().close();
            assertThat(channel.outboundMessages()).containsExactly("a");
        });

        assertThat(flushes).isOne();
    }

    @Test
    void what_is_due_goes_out_if_the_handler_is_taken_away() {
        inOneTurn(() -> {
            flush("a");
            channel.pipeline().remove(BatchedFlush.class);
            assertThat(channel.outboundMessages()).containsExactly("a");
        });

        assertThat(flushes).isOne();
    }

    private void flush(String message) {
        channel.pipeline().write(message);
        channel.pipeline().flush();
    }

    private void inOneTurn(Runnable work) {
        loop.submit(work).syncUninterruptibly();
        loop.submit(() -> {}).syncUninterruptibly();
    }
}
