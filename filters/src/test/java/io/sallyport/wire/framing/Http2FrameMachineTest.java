// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.sallyport.wire.framing.Http2FrameMachine.Met;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frame headers of RFC 9113 section 4.1; payloads are zeros. */
class Http2FrameMachineTest {
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int WINDOW_UPDATE = 8;
    private static final int CONTINUATION = 9;

    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;

    private long now;
    private final Http2FrameMachine machine = new Http2FrameMachine(() -> now);

    @Test
    void heads_are_told_apart_wherever_the_bytes_are_cut() {
        var bytes = Unpooled.wrappedBuffer(
                preface(),
                frame(SETTINGS, 0, 0, 0),
                frame(HEADERS, END_HEADERS, 1, 20),
                frame(DATA, END_STREAM, 1, 30),
                frame(HEADERS, 0, 3, 10),
                frame(CONTINUATION, 0, 3, 0),
                frame(CONTINUATION, END_HEADERS, 3, 10));

        for (int i = 0; i < bytes.writerIndex(); i++) {
            assertThat(machine.feed(bytes.slice(i, 1), 0)).isEqualTo(Met.END);
        }

        assertThat(machine.heads()).isEqualTo(2);
        assertThat(machine.highestStream()).isEqualTo(3);
        assertThat(machine.headUnderWay()).isZero();
    }

    @Test
    void a_head_is_under_way_from_its_first_byte_to_the_end_of_its_block() {
        feed(preface());
        assertThat(machine.headUnderWay()).isZero();

        feed(frame(HEADERS, 0, 1, 10).slice(0, 1));
        assertThat(machine.headUnderWay()).isEqualTo(1);
        feed(frame(HEADERS, 0, 1, 10).slice(1, 18));
        assertThat(machine.headUnderWay()).isEqualTo(2);
        feed(frame(CONTINUATION, 0, 1, 10));
        assertThat(machine.headUnderWay()).isEqualTo(2);
        feed(frame(CONTINUATION, END_HEADERS, 1, 10));
        assertThat(machine.headUnderWay()).isZero();

        feed(frame(HEADERS, END_HEADERS, 3, 10).slice(0, 10));
        assertThat(machine.headUnderWay()).as("the next").isEqualTo(3);
    }

    @Test
    void a_preface_that_does_not_end_is_under_way_and_a_piece_of_a_body_is_not() {
        feed(preface().slice(0, 3));
        assertThat(machine.headUnderWay()).isPositive();

        feed(preface().slice(3, 21));
        feed(frame(DATA, 0, 1, 10).slice(0, 12));
        assertThat(machine.headUnderWay()).isZero();
    }

    @Test
    void a_head_on_an_earlier_stream_is_met_behind_its_header_and_followed_to_its_end() {
        var bytes = Unpooled.wrappedBuffer(
                preface(),
                frame(HEADERS, END_HEADERS, 5, 10),
                frame(HEADERS, END_HEADERS, 3, 10),
                frame(PING, 0, 0, 8));

        assertThat(machine.feed(bytes, 0)).isEqualTo(Met.OLD_STREAM);
        assertThat(machine.stream()).isEqualTo(3);
        assertThat(machine.position()).isEqualTo(24 + 19 + 9);
        assertThat(machine.feed(bytes, machine.position())).isEqualTo(Met.END);
        assertThat(machine.position()).isEqualTo(bytes.writerIndex());
        assertThat(machine.headUnderWay()).isZero();
        assertThat(machine.heads()).isEqualTo(1);
    }

    /** RFC 9113 section 5.1.1: the codec ends the connection for it, as PROTOCOL_ERROR. */
    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void a_head_on_a_stream_that_no_client_begins_is_not_an_earlier_one(int stream) {
        feed(preface());
        feed(frame(HEADERS, END_HEADERS, 5, 10));

        assertThat(machine.feed(frame(HEADERS, END_HEADERS, stream, 10), 0)).isEqualTo(Met.END);
        assertThat(machine.highestStream()).isEqualTo(5);
    }

    @Test
    void the_reserved_bit_of_a_stream_is_ignored() {
        feed(preface());
        feed(frame(HEADERS, END_HEADERS, 0x8000_0001, 10));

        assertThat(machine.highestStream()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "2, 0", "3, 4", "4, 0", "4, 6", "6, 8", "7, 8", "8, 4", "9, 5", "22, 0"})
    void frames_that_bring_nothing_are_a_flood(int type, int length) {
        feed(preface());

        assertThat(feedEach(1_000, type, 0, length)).isEqualTo(Met.END);
        assertThat(feedEach(1, type, 0, length)).isEqualTo(Met.FLOOD);
    }

    @Test
    void long_frames_of_settings_are_a_flood_sooner() {
        feed(preface());

        assertThat(feedEach(4, SETTINGS, 0, 16_384)).isEqualTo(Met.FLOOD);
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 1", "0, 1, 0", "1, 4, 10"})
    void frames_that_bring_something_are_none(int type, int flags, int length) {
        feed(preface());
        int stream = 1;

        for (int i = 0; i < 3_000; i++, stream += 2) {
            assertThat(feed(frame(type, flags, stream, length))).isEqualTo(Met.END);
        }
    }

    @Test
    void a_window_that_is_opened_wide_is_none() {
        feed(preface());
        var update = frame(WINDOW_UPDATE, 0, 0, 4);
        update.setInt(9, 1024);

        for (int i = 0; i < 3_000; i++) {
            assertThat(feed(update.duplicate())).isEqualTo(Met.END);
        }
    }

    @Test
    void a_request_makes_ten_of_them_good() {
        feed(preface());

        for (int i = 0; i < 500; i++) {
            assertThat(feedEach(10, PING, 0, 8)).isEqualTo(Met.END);
            assertThat(feed(frame(HEADERS, END_HEADERS, 2 * i + 1, 10))).isEqualTo(Met.END);
        }
    }

    @Test
    void as_many_again_may_come_in_the_next_period() {
        feed(preface());
        feedEach(1_000, PING, 0, 8);

        now += Duration.ofSeconds(10).toNanos();

        assertThat(feedEach(1_000, PING, 0, 8)).isEqualTo(Met.END);
        assertThat(feedEach(2, PING, 0, 8)).isEqualTo(Met.FLOOD);
    }

    private Met feed(ByteBuf bytes) {
        return machine.feed(bytes, bytes.readerIndex());
    }

    private Met feedEach(int times, int type, int flags, int length) {
        var met = Met.END;
        for (int i = 0; i < times && met == Met.END; i++) {
            met = feed(frame(type, flags, 0, length));
        }
        return met;
    }

    private static ByteBuf preface() {
        return Unpooled.copiedBuffer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", StandardCharsets.US_ASCII);
    }

    private static ByteBuf frame(int type, int flags, int stream, int length) {
        return Unpooled.buffer(9 + length)
                .writeMedium(length)
                .writeByte(type)
                .writeByte(flags)
                .writeInt(stream)
                .writeZero(length);
    }
}
