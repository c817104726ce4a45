// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.sallyport.decision.Reason;
import io.sallyport.pipeline.Outcome;
import io.sallyport.wire.model.Request.Malformed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What must come of the requests on one HTTP/1.1 connection. Told of each response in turn, and of the end, it throws a {@link
 * Violation} at the first thing that is wrong:
 *
 * <ul>
 *   <li>Responses arrive in order. None is lost, doubled or another request's.
 *   <li>No request reaches an upstream unless its client is answered, visibly reset, or has left before.
 *   <li>The connection goes on, or ends and says so, as RFC 9112 section 9 and the gateway's documentation have it.
 *   <li>Each request that was read leaves one outcome, which says what its client saw. What follows the end leaves none.
 * </ul>
 */
final class ConnectionModel {
    /** How the connection ended, as its client sees it. */
    enum End {
        CLOSED,
        RESET,
        /** The client was the first to end it. */
        LEFT,
        /** It did not end, and nothing came. */
        SILENT
    }

    private final List<Request> requests;
    private final List<Expectation> expectations;
    private final List<Response> answers = new ArrayList<>();
    /** The first request whose response broke off, or whose connection was reset; -1 if there is none. */
    private int broken = -1;

    private boolean reset;
    private boolean over;
    private boolean left;
    private boolean stopped;

    ConnectionModel(List<Request> requests) {
        this.requests = requests;
        this.expectations = new ArrayList<>();
        for (int number = 0; number < requests.size(); number++) {
            var next = number + 1 < requests.size() ? requests.get(number + 1) : null;
            expectations.add(new Expectation(requests.get(number), next));
        }
    }

    /** How many requests have been answered. */
    int answered() {
        return answers.size();
    }

    /** Whether the next final response answers a HEAD. */
    boolean nextIsToHead() {
        return !isComplete() && requests.get(answers.size()).isHead();
    }

    /** Whether the connection ends with the response that came last. */
    boolean isOver() {
        return over;
    }

    /** Whether every request has been answered. */
    boolean isComplete() {
        return answers.size() == requests.size();
    }

    /** The gateway stops: the connection may end behind any response, and what never ends does. */
    void stopped() {
        stopped = true;
    }

    void answered(Response response) {
        require(!over, "a response behind the last one of the connection", response);
        require(!isComplete(), "a response to nobody", response);
        var expectation = expectations.get(answers.size());
        expectation.check(response, answers.size(), stopped);
        over = expectation.endsWith(response, stopped);
        answers.add(response);
    }

    /**
     * The connection has ended.
     *
     * @param partial a response that had begun and is not complete
     */
    void ended(End how, @Nullable Response partial) {
        if (how == End.LEFT) {
            left = true;
            return;
        }
        require(
                how != End.SILENT,
                over ? "the connection stays open behind its last response" : "no response",
                partial);
        if (over) {
            require(partial == null, "bytes behind the last response of the connection", partial);
            return;
        }
        if (partial == null && (stopped || (how == End.CLOSED && endsUnsaid()))) {
            over = true;
            return;
        }
        reset = how == End.RESET;
        require(!isComplete() || (reset && endsUnsaid()), "the connection ended without saying so", partial);
        require(
                reset ? mayBreakFrom(answers.size()) || endsUnsaid() : mayBreak(answers.size()),
                "the connection ended instead of a response",
                partial);
        require(partial != null || reset, "the connection ended in order, without a response", partial);
        broken = answers.size();
        over = true;
    }

    private boolean mayBreak(int number) {
        return expectations.get(number).mayBreak(stopped);
    }

    /** With a reset goes what was on its way before. */
    private boolean mayBreakFrom(int number) {
        return number < requests.size() && (mayBreak(number) || mayBreakFrom(number + 1));
    }

    /** Whether the response that came last may be the last one and could not say so, for its request had not been read. */
    private boolean endsUnsaid() {
        return !answers.isEmpty() && expectations.get(answers.size() - 1).mayEndUnsaid();
    }

    /** What came over the connection after its protocol was switched. */
    void tunnelled(byte[] bytes) {
        var last = answers.isEmpty() ? null : answers.getLast();
        if (last != null && last.status == 101 && !left && !stopped && !requests.get(answers.size() - 1).ahead) {
            require(Arrays.equals(bytes, Request.ECHOED_FRAMES), "not the upstream's frames", last);
        }
    }

    /** Everything is over: checks what the upstream saw, and the outcomes. */
    void check(Run run) {
        int lastBroken = lastBroken(run);
        var mixUp = run.mixUp();
        require(mixUp == null, String.valueOf(mixUp), null);
        for (int number = 0; number < requests.size(); number++) {
            var expectation = expectations.get(number);
            boolean reached = number < answers.size() || number <= lastBroken || left;
            require(
                    run.timesBegun(number) <= (reached ? expectation.mostAttempts() : 0),
                    "at the upstream, and not to be: request " + number,
                    null);
            require(
                    run.timesWhole(number) <= (expectation.mayBeWhole() ? expectation.mostAttempts() : 0),
                    "whole at the upstream, and not to be: request " + number,
                    null);
            if (number < answers.size() && expectation.mustBeWhole(answers.get(number))) {
                require(run.timesWhole(number) >= 1, "answered, and not read by the upstream: request " + number, null);
            }
        }
        checkOutcomes(run, lastBroken);
    }

    /** The request whose response was broken off: of a connection that was reset, the last one; -1 if there is none. */
    private int lastBroken(Run run) {
        if (broken < 0 || !reset) {
            return broken;
        }
        int last = run.ended().stream().mapToInt(Run.Ended::number).max().orElse(-1);
        require(last >= broken - 1 && mayBreak(last), "a reset for nothing", null);
        return last;
    }

    private void checkOutcomes(Run run, int lastBroken) {
        int[] outcomes = new int[requests.size()];
        for (var ended : run.ended()) {
            int number = ended.number() >= 0 ? ended.number() : malformed(outcomes);
            require(number >= 0, "an outcome of nothing: " + ended, null);
            require(++outcomes[number] == 1, "two outcomes of request " + number, null);
            require(!isUnforeseen(ended.outcome()), "an end that nobody foresaw: request " + number, null);
            if (number < answers.size()) {
                checkOutcome(ended, answers.get(number), mayBreak(number));
            } else if (number == lastBroken) {
                require(!(ended.outcome() instanceof Outcome.Answered), "broken, and recorded: " + ended, null);
            } else if (number > lastBroken) {
                require(left, "an outcome of request " + number + ", which nobody waits for: " + ended.outcome(), null);
            }
        }
        for (int number = 0; number < requests.size(); number++) {
            boolean read = number < answers.size() || number <= lastBroken || run.timesBegun(number) > 0;
            require(!read || outcomes[number] == 1, "no outcome of request " + number, null);
        }
    }

    /** The first malformed request without an outcome: its bytes may not have had a target. */
    private int malformed(int[] outcomes) {
        for (int number = 0; number < outcomes.length; number++) {
            if (requests.get(number).malformed != Malformed.NO && outcomes[number] == 0) {
                return number;
            }
        }
        return -1;
    }

    private static boolean isUnforeseen(Outcome outcome) {
        return (outcome instanceof Outcome.Refused refused && refused.denial().reason() == Reason.FORWARD_FAILED)
                || (outcome instanceof Outcome.Aborted aborted
                        && aborted.denial().reason() == Reason.FORWARD_FAILED);
    }

    private void checkOutcome(Run.Ended ended, Response answer, boolean mayBreak) {
        var outcome = ended.outcome();
        require(ended.requestId().equals(answer.field("x-request-id")), "another request's id: " + ended, answer);
        require(outcome.status() == answer.status, "another status: " + outcome, answer);
        boolean fits = answer.status == 101
                || switch (outcome) {
                    case Outcome.Answered _ -> true;
                    case Outcome.Refused _ -> !answer.isUpstreams();
                    case Outcome.Cancelled _ -> left;
                    // The client may have had all of it by its length.
                    case Outcome.Aborted _ -> left || mayBreak;
                };
        require(fits, "answered, and recorded as " + outcome, answer);
    }

    private static void require(boolean condition, String otherwise, @Nullable Response response) {
        if (!condition) {
            throw new Violation(response == null ? otherwise : otherwise + ": " + response);
        }
    }

    @Override
    public String toString() {
        return answers.size() + " answered" + (over ? ", over" : "") + (left ? ", left" : "");
    }
}
