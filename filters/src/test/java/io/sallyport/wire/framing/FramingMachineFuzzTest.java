// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import io.netty.buffer.Unpooled;
import io.sallyport.decision.Reason;
import io.sallyport.edge.HeadLimits;
import io.sallyport.fuzz.Corpus;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Of any bytes: one verdict, wherever they are cut, that stays; and what is called complete is complete by itself. */
public final class FramingMachineFuzzTest {
    private static final HeadLimits LIMITS = new HeadLimits(256, 1024, 16);

    @Test
    void every_kept_input_has_the_properties() throws IOException {
        Corpus.of(FramingMachineFuzzTest.class).replay(FramingMachineFuzzTest::fuzzerTestOneInput);
    }

    @Test
    void so_has_every_mutation_of_them() throws IOException {
        Corpus.of(FramingMachineFuzzTest.class).mutate(FramingMachineFuzzTest::fuzzerTestOneInput);
    }

    public static void fuzzerTestOneInput(byte[] input) {
        var whole = new FramingMachine(LIMITS);
        var reason = feed(whole, input, 0, input.length);
        int complete = whole.completeBytes();
        requireSame(whole, reason, input, 1);
        // Where it is cut is part of the input too.
        requireSame(whole, reason, input, 2 + (input.length == 0 ? 0 : input[input.length - 1] & 0x3f));

        if (complete < 0 || complete > input.length) {
            throw new AssertionError("%d of %d bytes are complete".formatted(complete, input.length));
        }
        var first = new FramingMachine(LIMITS);
        if (feed(first, input, 0, complete) != null || first.headUnderWay() != 0 || first.isInBody()) {
            throw new AssertionError("the first %d bytes are no whole requests".formatted(complete));
        }
        var rest = feed(first, input, complete, input.length - complete);
        if (!Objects.equals(rest, reason)) {
            throw new AssertionError("%s after %d bytes, %s at once".formatted(rest, complete, reason));
        }
        if (reason != null && !reason.equals(feed(whole, input, 0, input.length))) {
            throw new AssertionError("%s was taken back".formatted(reason));
        }
    }

    private static void requireSame(FramingMachine whole, @Nullable Reason expected, byte[] input, int step) {
        var machine = new FramingMachine(LIMITS);
        Reason reason = null;
        for (int at = 0; at < input.length; at += step) {
            reason = feed(machine, input, at, Math.min(step, input.length - at));
        }
        if (!Objects.equals(reason, expected)
                || (reason == null
                        && (machine.headUnderWay() != whole.headUnderWay()
                                || machine.isInBody() != whole.isInBody()))) {
            throw new AssertionError("%s in pieces of %d, %s at once".formatted(reason, step, expected));
        }
    }

    private static @Nullable Reason feed(FramingMachine machine, byte[] bytes, int from, int length) {
        return machine.feed(Unpooled.wrappedBuffer(bytes, from, length));
    }
}
