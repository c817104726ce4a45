// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.sallyport.wire.model.ConnectionModel.End;
import io.sallyport.wire.model.Packet.Wait;
import io.sallyport.wire.model.Sequence.Leaving;
import io.sallyport.wire.model.Sequence.Reading;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Sends a sequence over a socket and reads what comes back, in two threads. */
final class SocketClient {
    private static final int SMALL_BUFFER = 4_096;

    private final Run run;
    private final ConnectionModel model;
    private final Socket socket = new Socket();
    private final Duration patience;
    private final ResponseReader reader;

    // Guarded by this.
    private int answered;
    private boolean continued;
    private boolean finished;
    private boolean leaving;

    private SocketClient(Run run, Duration patience) {
        this.run = run;
        this.patience = patience;
        this.model = new ConnectionModel(run.sequence.requests());
        this.reader = new ResponseReader(model::nextIsToHead, this::answered, this::informed);
    }

    /**
     * Runs a sequence on a connection of its own.
     *
     * @param patience how long nothing may come before it counts as silence
     * @return to {@link #checkAgain} later
     * @throws Violation if what was seen is not what the model allows
     */
    static SocketClient play(SocketGateway gateway, Run run, Duration patience)
            throws IOException, InterruptedException {
        var client = new SocketClient(run, patience);
        try (client.socket) {
            client.connect(gateway);
            var writer = Thread.ofVirtual().start(client::write);
            try {
                client.read();
            } finally {
                client.finish();
                client.socket.close();
                writer.join();
            }
        } catch (Violation violation) {
            throw client.explained(violation);
        }
        client.checkSoon();
        return client;
    }

    private void connect(SocketGateway gateway) throws IOException {
        if (run.sequence.reading() == Reading.SLOWLY) {
            socket.setReceiveBufferSize(SMALL_BUFFER);
        }
        socket.setTcpNoDelay(true);
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        gateway.runs.connected(run, socket.getLocalPort());
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), gateway.port()));
        socket.setSoTimeout((int) patience.toMillis());
    }

    // writing

    private void write() {
        var sequence = run.sequence;
        try {
            int sent = 0;
            for (var packet : sequence.packets(run.name)) {
                if (!await(packet.after())) {
                    return;
                }
                socket.getOutputStream().write(packet.bytes());
                if (sequence.leaving() != Leaving.NEVER && ++sent >= sequence.leavesAfter()) {
                    leave(sequence.leaving());
                    return;
                }
            }
            if (sequence.leaving() != Leaving.NEVER) {
                leave(sequence.leaving());
            }
        } catch (IOException _) {
            // The reader sees the end too.
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns whether there is still a connection to send on. */
    private synchronized boolean await(Wait wait) throws InterruptedException {
        switch (wait) {
            case Wait.Nothing _, Wait.Earlier _ -> {}
            case Wait.Pause(int millis) -> {
                if (millis > 0) {
                    var until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
                    for (long left = millis; left > 0 && !finished; left = millisUntil(until)) {
                        wait(left);
                    }
                }
            }
            case Wait.Answers(int number, boolean orContinue) -> {
                while (answered < number && !finished) {
                    wait();
                }
                while (orContinue && answered == number && !continued && !finished) {
                    wait();
                }
            }
        }
        return !finished;
    }

    private static long millisUntil(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos - System.nanoTime() + 999_999);
    }

    private void leave(Leaving how) throws IOException {
        synchronized (this) {
            leaving = true;
        }
        switch (how) {
            case NEVER, STOP -> {}
            case CLOSE -> socket.close();
            case RESET -> {
                socket.setSoLinger(true, 0);
                socket.close();
            }
            case HALF -> socket.shutdownOutput();
        }
    }

    // reading

    private void read() throws InterruptedException {
        if (run.sequence.reading() == Reading.LATE) {
            Thread.sleep(50);
        }
        var buffer = new byte[run.sequence.reading() == Reading.SLOWLY ? 700 : 65_536];
        var random = new Random(run.sequence.requests().size());
        while (!model.isComplete() || model.isOver()) {
            int read;
            try {
                read = socket.getInputStream().read(buffer);
            } catch (SocketTimeoutException _) {
                end(End.SILENT);
                return;
            } catch (IOException _) {
                end(End.RESET);
                return;
            }
            if (read < 0) {
                end(End.CLOSED);
                return;
            }
            reader.read(buffer, read);
            if (run.sequence.reading() == Reading.SLOWLY && random.nextInt(8) == 0) {
                Thread.sleep(1);
            }
        }
    }

    private void end(End how) {
        // Behind the client's own end, a body up to the end may be one that was broken off.
        var partial = reader.end(how == End.CLOSED && !isLeaving());
        model.ended(isLeaving() && how != End.SILENT ? End.LEFT : how, partial);
        model.tunnelled(reader.tunnel());
    }

    private synchronized boolean isLeaving() {
        return leaving;
    }

    private synchronized void answered(Response response) {
        model.answered(response);
        answered++;
        continued = false;
        notifyAll();
    }

    private synchronized void informed() {
        continued = true;
        notifyAll();
    }

    private synchronized void finish() {
        finished = true;
        notifyAll();
    }

    // afterwards

    /** Outcomes may come a moment later than what the client sees. */
    private void checkSoon() throws InterruptedException {
        var until = System.nanoTime() + patience.toNanos();
        @Nullable Violation last = null;
        do {
            try {
                model.check(run);
                return;
            } catch (Violation violation) {
                last = violation;
                Thread.sleep(2);
            }
        } while (System.nanoTime() < until);
        throw explained(last);
    }

    private Violation explained(Violation violation) {
        return new Violation(violation.getMessage() + "\n  " + model + run.around(model.answered()));
    }

    /** Checks again what had been found right: nothing may have come later. */
    void checkAgain() throws InterruptedException {
        // A request of a client that has left may be on its way to its outcome just now.
        checkSoon();
    }
}
