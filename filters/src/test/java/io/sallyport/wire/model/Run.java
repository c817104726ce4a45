// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.sallyport.pipeline.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the upstream and the gateway have seen of one sequence. */
final class Run {
    /**
     * How one request ended.
     *
     * @param number of the request; -1 if its bytes were no request
     * @param requestId the gateway's
     */
    record Ended(int number, String requestId, Outcome outcome) {}

    final Sequence sequence;

    /** The part of the targets that names it. */
    final String name;

    /** Of its client. */
    int port;

    private final int[] begun;
    private final int[] whole;
    private final List<Ended> ended = new ArrayList<>();
    private @Nullable String mixUp;

    Run(Sequence sequence, String name) {
        this.sequence = sequence;
        this.name = name;
        this.begun = new int[sequence.requests().size()];
        this.whole = new int[begun.length];
    }

    Request request(int number) {
        return sequence.requests().get(number);
    }

    /** The upstream has read that request's head. */
    synchronized void begun(int number) {
        begun[number]++;
    }

    /** The upstream has read all of that request. */
    synchronized void whole(int number, byte[] body) {
        whole[number]++;
        if (!Arrays.equals(body, Request.content(number, request(number).bodyLength))) {
            mixUp = "the upstream got another body with request " + number;
        }
    }

    /** The upstream cannot make sense of what it got. */
    synchronized void nonsense(String what) {
        mixUp = "the upstream got " + what;
    }

    synchronized void ended(Ended outcome) {
        ended.add(outcome);
    }

    synchronized int timesBegun(int number) {
        return begun[number];
    }

    synchronized int timesWhole(int number) {
        return whole[number];
    }

    synchronized List<Ended> ended() {
        return List.copyOf(ended);
    }

    synchronized @Nullable String mixUp() {
        return mixUp;
    }

    /** What was seen of the requests around the one that the client waits for. */
    synchronized String around(int answered) {
        var text = new StringBuilder();
        for (int number = Math.max(0, answered - 2); number < Math.min(begun.length, answered + 3); number++) {
            int each = number;
            text.append("\n  request %d: %d times at the upstream, %d of them whole; outcomes: %s"
                    .formatted(
                            number,
                            begun[number],
                            whole[number],
                            ended.stream()
                                    .filter(e -> e.number() == each)
                                    .map(Ended::outcome)
                                    .toList()));
        }
        var unread =
                ended.stream().filter(e -> e.number() < 0).map(Ended::outcome).toList();
        return text + (unread.isEmpty() ? "" : "\n  bytes that are no request: " + unread);
    }
}
