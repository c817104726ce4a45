// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.shedding;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which connections are read, and when, on an event loop whose turns and whose time are the test's. */
@SuppressWarnings("FutureReturnValueIgnored") // an embedded channel closes at once
class LoopPaceTest {
    private static final long MILLI = Duration.ofMillis(1).toNanos();

    private long now;
    private long due;
    private @Nullable Runnable timer;
    private final List<Runnable> atEndOfTurn = new ArrayList<>();

    private final LoopPace pace = new LoopPace(
            atEndOfTurn::add,
            (task, delay, unit) -> {
                timer = task;
                due = now + unit.toNanos(delay);
            },
            () -> now);

    private final List<Client> clients = new ArrayList<>();

    /** A connection, what was read of it, and whether its deadlines were told to wait. */
    private final class Client {
        private boolean paused;
        private final EmbeddedChannel channel = new EmbeddedChannel();

        Client() {
            channel.pipeline().addLast(new PacedReads(pace, is -> paused = is));
            clients.add(this);
        }

        ByteBuf sends(String text) {
            var bytes = Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII);
            channel.writeInbound(bytes);
            return bytes;
        }

        boolean waits() {
            assertThat(paused).isEqualTo(!channel.config().isAutoRead());
            return paused;
        }

        int reads() {
            return channel.inboundMessages().size();
        }
    }

    @AfterEach
    void close() {
        clients.forEach(client -> client.channel.finishAndReleaseAll());
    }

    @Test
    void a_loop_in_time_reads_whatever_comes() {
        var one = new Client();
        var other = new Client();
        for (int i = 0; i < 100; i++) {
            one.sends("a");
            now += LoopPace.LONGEST_TURN / 2;
            other.sends("a");
            endTurn();
        }

        assertThat(one.reads()).isEqualTo(100);
        assertThat(other.reads()).isEqualTo(100);
        assertThat(timer).isNull();
    }

    @Test
    void what_comes_late_in_a_long_turn_waits_and_no_more_of_it_is_read() {
        var first = new Client();
        var late = new Client();
        first.sends("a");
        now += LoopPace.LONGEST_TURN + 1;
        late.sends("b");
        late.sends("c");

        assertThat(late.reads()).isZero();
        assertThat(late.waits()).isTrue();
        assertThat(first.waits()).isFalse();
    }

    @Test
    void who_waited_is_read_in_the_order_of_coming_with_all_that_came() {
        var first = new Client();
        var late = new Client();
        first.sends("a");
        now += LoopPace.LONGEST_TURN + 1;
        var bytes = late.sends("b");
        late.sends("c");
        endTurn();
        runTimer(0);

        assertThat(late.reads()).isEqualTo(2);
        assertThat(late.channel.<ByteBuf>readInbound()).isSameAs(bytes);
        bytes.release();
        assertThat(late.waits()).isFalse();
        assertThat(timer).isNull();
    }

    @Test
    void nobody_overtakes_who_waits() {
        var waiting = behind(1).getFirst();
        var other = new Client();
        other.sends("a");
        assertThat(other.reads()).isZero();

        runTimer(MILLI * 2);
        assertThat(waiting.reads()).isOne();
        assertThat(other.reads()).isZero();

        runTimer(MILLI * 2);
        assertThat(other.reads()).isOne();
    }

    @Test
    void a_loop_that_is_back_in_time_reads_all_that_wait() {
        var waiting = behind(10);
        runTimer(0);

        assertThat(waiting).allSatisfy(client -> assertThat(client.waits()).isFalse());
        assertThat(timer).isNull();
    }

    @Test
    void a_loop_that_is_late_reads_one_in_a_turn() {
        var waiting = behind(3);
        runTimer(LoopPace.IN_TIME);
        assertThat(waiting.stream().filter(Client::waits)).hasSize(2);
        runTimer(LoopPace.IN_TIME);
        assertThat(waiting.stream().filter(Client::waits)).hasSize(1);
    }

    @Test
    void a_loop_that_is_late_waits_until_twice_as_much_has_ended_as_it_let_begin() {
        var waiting = behind(2);
        runTimer(MILLI * 5);
        streams(10, 0);
        runTimer(MILLI * 5);
        streams(0, 19);
        runTimer(MILLI * 5);
        assertThat(waiting.get(1).waits()).isTrue();

        streams(0, 1);
        runTimer(MILLI * 5);
        assertThat(waiting.get(1).waits()).isFalse();
    }

    @Test
    void what_waits_for_upstreams_holds_up_nobody_on_a_loop_in_time() {
        var waiting = behind(2);
        runTimer(MILLI * 5);
        streams(10, 0);
        runTimer(0);

        assertThat(waiting.get(1).waits()).isFalse();
    }

    @Test
    void everybodys_turn_comes_even_if_nothing_ends() {
        var waiting = behind(2);
        runTimer(MILLI * 5);
        streams(10, 0);
        for (int i = 1; i < LoopPace.MOST_TURNS_WITHOUT; i++) {
            runTimer(MILLI * 5);
        }
        assertThat(waiting.get(1).waits()).isTrue();
        runTimer(MILLI * 5);
        assertThat(waiting.get(1).waits()).isFalse();
    }

    @Test
    void how_long_the_first_has_waited_is_known() {
        assertThat(pace.longestWait()).isZero();
        behind(1);
        now += MILLI * 100;
        assertThat(pace.longestWait()).isEqualTo(MILLI * 100);
        runTimer(0);
        assertThat(pace.longestWait()).isZero();
    }

    @Test
    void who_has_gone_does_not_wait_and_holds_nothing() {
        var gone = behind(2).getFirst();
        var bytes = gone.sends("more");
        gone.channel.close();

        assertThat(bytes.refCnt()).isZero();
        assertThat(gone.reads()).isZero();
        runTimer(MILLI * 2);
        assertThat(clients.getLast().waits()).isFalse();
        assertThat(timer).isNull();
    }

    /** So many connections wait, each with one piece, because a turn took too long. */
    private List<Client> behind(int waiting) {
        new Client().sends("a");
        now += LoopPace.LONGEST_TURN + 1;
        var late = new ArrayList<Client>();
        for (int i = 0; i < waiting; i++) {
            var client = new Client();
            client.sends("b");
            assertThat(client.waits()).isTrue();
            late.add(client);
        }
        endTurn();
        return late;
    }

    private void streams(int begun, int ended) {
        for (int i = 0; i < begun; i++) {
            pace.begun();
        }
        for (int i = 0; i < ended; i++) {
            pace.ended();
        }
    }

    private void endTurn() {
        atEndOfTurn.forEach(Runnable::run);
        atEndOfTurn.clear();
    }

    private void runTimer(long late) {
        var task = Objects.requireNonNull(timer, "nothing is scheduled");
        timer = null;
        now = Math.max(now, due) + late;
        task.run();
        endTurn();
    }
}
