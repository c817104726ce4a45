// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.netty.channel.WriteBufferWaterMark;
import io.sallyport.wire.model.ConnectionModel.End;
import io.sallyport.wire.model.Packet.Wait;
import io.sallyport.wire.model.Sequence.Leaving;
import io.sallyport.wire.model.Sequence.Reading;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Runs a sequence on an {@link EmbeddedConnection}: of all that could happen next, on whichever side, one thing happens, and the seed
 * says which. Nothing waits for a clock. When nothing can happen any more, all must be as it has to be.
 */
final class EmbeddedClient {
    private static final int ENOUGH = 65_536;
    private static final int MOST_STEPS = 300_000;
    private static final WriteBufferWaterMark SMALL_MARKS = new WriteBufferWaterMark(200, 1_000);

    /** What can happen. */
    private enum Step {
        SEND,
        LEAVE,
        RECEIVE,
        RESET,
        GATEWAY_READS,
        UPSTREAM,
        VERDICT
    }

    private static final Step[] STEPS = Step.values();

    private final EmbeddedGateway gateway;
    private final Run run;
    private final Sequence sequence;
    private final Random random;
    private final EmbeddedConnection connection;
    private final ConnectionModel model;
    private final ResponseReader reader;
    private final List<Packet> packets;
    private final Step[] possible = new Step[STEPS.length];

    private int sent;
    private int answered;
    private boolean continued;
    /** Whether the client has left, or the gateway stops. */
    private boolean leaves;

    private boolean left;
    private boolean endSeen;
    private boolean patient;

    private EmbeddedClient(EmbeddedGateway gateway, Run run, long seed) {
        this.gateway = gateway;
        this.run = run;
        this.sequence = run.sequence;
        this.random = new Random(seed);
        this.patient = sequence.reading() == Reading.LATE;
        var slow = sequence.reading() != Reading.AT_ONCE;
        this.connection = gateway.connect(
                run,
                slow ? 1 + random.nextInt(2_000) : ENOUGH,
                slow && random.nextBoolean() ? SMALL_MARKS : WriteBufferWaterMark.DEFAULT,
                random);
        this.model = new ConnectionModel(sequence.requests());
        this.reader = new ResponseReader(model::nextIsToHead, this::answered, () -> continued = true);
        this.packets = sequence.packets(run.name);
    }

    /**
     * Runs a sequence on a connection of its own.
     *
     * @param seed of the order in which things happen
     * @throws Violation if what was seen is not what the model allows
     */
    static void play(EmbeddedGateway gateway, Run run, long seed) {
        var client = new EmbeddedClient(gateway, run, seed);
        try {
            client.play();
        } catch (Violation violation) {
            throw new Violation(
                    violation.getMessage() + "\n  " + client.model + client.run.around(client.model.answered()));
        }
    }

    private void play() {
        settle();
        if (leaves && !left && connection.isOpen()) {
            // Whoever has not been answered by then is not.
            connection.advanceTimeBy(EmbeddedGateway.SHUTDOWN_GRACE.toMillis(), TimeUnit.MILLISECONDS);
            settle();
        }
        if (!endSeen && !left && (!model.isComplete() || model.isOver())) {
            end(End.SILENT);
        }
        if (!left) {
            left = true;
            connection.closeByClient();
            settle();
        }
        require(!connection.isOpen(), "the connection stays open when its client has left");
        model.check(run);
        var leftover = gateway.leftover();
        require(leftover == null, String.valueOf(leftover));
        require(connection.stray() == null, "behind the last handler: " + connection.stray());
    }

    /** Lets happen what can. */
    private void settle() {
        connection.runPendingTasks();
        for (int steps = 0; ; steps++) {
            require(steps < MOST_STEPS, "it never ends");
            int count = 0;
            for (var step : STEPS) {
                if (isPossible(step)) {
                    possible[count++] = step;
                }
            }
            if (count == 0 && patient) {
                patient = false;
            } else if (count == 0) {
                return;
            } else {
                take(possible[random.nextInt(count)]);
                connection.runPendingTasks();
                check();
            }
        }
    }

    private boolean isPossible(Step step) {
        return switch (step) {
            case SEND -> !left && !endSeen && sent < packets.size() && !isTimeToLeave() && isDue(packets.get(sent));
            case LEAVE -> !endSeen && isTimeToLeave();
            case RECEIVE -> !isDeaf() && !endSeen && !patient && (connection.hasForClient() || connection.hasEnded());
            case RESET -> connection.isToBeReset();
            case GATEWAY_READS -> connection.isToBeRead();
            case UPSTREAM -> gateway.upstream.hasStep();
            case VERDICT -> !gateway.verdicts.isEmpty();
        };
    }

    private boolean isTimeToLeave() {
        return !leaves
                && sequence.leaving() != Leaving.NEVER
                && (sent >= sequence.leavesAfter() || sent == packets.size());
    }

    /** Whether it has closed, and not only its own direction. */
    private boolean isDeaf() {
        return left && sequence.leaving() != Leaving.HALF;
    }

    /** Whether the client would send it now: behind the last answer nothing more than what belongs to its request. */
    private boolean isDue(Packet packet) {
        if (model.isOver() && packet.number() >= answered) {
            return false;
        }
        return switch (packet.after()) {
            case Wait.Nothing _, Wait.Earlier _, Wait.Pause _ -> true;
            case Wait.Answers(int number, boolean orContinue) ->
                answered > number || (answered == number && (!orContinue || continued));
        };
    }

    private void take(Step step) {
        switch (step) {
            case SEND -> connection.fromClient(packets.get(sent++).bytes());
            case LEAVE -> leave();
            case RECEIVE -> receive();
            case RESET -> connection.resetByClient();
            case GATEWAY_READS -> gatewayReads();
            case UPSTREAM -> gateway.upstream.step();
            case VERDICT -> gateway.verdicts.remove().run();
        }
    }

    private void leave() {
        leaves = true;
        if (sequence.leaving() != Leaving.STOP) {
            left = true;
            model.ended(End.LEFT, null);
        }
        switch (sequence.leaving()) {
            case NEVER -> {}
            case CLOSE -> connection.closeByClient();
            case RESET -> connection.resetByClient();
            case HALF -> connection.shutdownByClient();
            case STOP -> {
                model.stopped();
                var _ = connection.pipeline().close();
            }
        }
    }

    private void gatewayReads() {
        int unread = Math.max(1, connection.unread());
        if (random.nextInt(3) > 0) {
            connection.readByGateway(ENOUGH);
        } else {
            connection.readByGateway(1 + random.nextInt(unread), 1 + random.nextInt(unread));
        }
    }

    private void receive() {
        if (!connection.hasForClient()) {
            end(connection.isReset() ? End.RESET : End.CLOSED);
            return;
        }
        int most = sequence.reading() == Reading.SLOWLY ? 1 + random.nextInt(2_000) : ENOUGH;
        var bytes = connection.read(most);
        reader.read(bytes, bytes.length);
    }

    private void answered(Response response) {
        model.answered(response);
        answered++;
        continued = false;
    }

    private void end(End how) {
        endSeen = true;
        // Behind the client's own end, a body up to the end may be one that was broken off.
        var partial = reader.end(how == End.CLOSED && !left);
        if (!left) {
            // A stop closes a connection without a request at once. If one was on its way, the client sees a reset.
            model.ended(leaves && connection.hasLost() ? End.LEFT : how, partial);
        }
        model.tunnelled(reader.tunnel());
    }

    private void check() {
        var violation = gateway.upstream.violation();
        require(violation == null, String.valueOf(violation));
        try {
            connection.checkException();
        } catch (RuntimeException e) {
            throw new Violation("an exception that nobody takes: " + e);
        }
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new Violation(otherwise);
        }
    }
}
