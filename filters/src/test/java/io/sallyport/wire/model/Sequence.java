// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.sallyport.wire.model.Packet.Wait;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Requests on one connection, and how their client reads and leaves.
 *
 * @param leavesAfter the packet after which it leaves, if it does before everything is answered
 */
record Sequence(List<Request> requests, Reading reading, Leaving leaving, int leavesAfter) {
    /** How fast the client reads. */
    enum Reading {
        AT_ONCE,
        /** A little at a time, into a small buffer. */
        SLOWLY,
        /** Nothing for a while. */
        LATE
    }

    /** How the client ends its side before everything has been answered. */
    enum Leaving {
        NEVER,
        CLOSE,
        RESET,
        /** Its own direction only. */
        HALF,
        /** It does not; the gateway stops. */
        STOP
    }

    Sequence {
        requests = List.copyOf(requests);
    }

    static Sequence of(Request... requests) {
        return new Sequence(List.of(requests), Reading.AT_ONCE, Leaving.NEVER, 0);
    }

    Sequence leaving(Leaving leaving, int afterPacket) {
        return new Sequence(requests, reading, leaving, afterPacket);
    }

    /** The bytes as they are sent; packets without a wait between them are one. */
    List<Packet> packets(String run) {
        var packets = new ArrayList<Packet>();
        var wait = (Wait) Wait.Nothing.NOTHING;
        int first = 0;
        var bytes = new ByteArrayOutputStream();
        for (int number = 0; number < requests.size(); number++) {
            for (var packet : requests.get(number).packets(run, number)) {
                if (bytes.size() > 0 && (packet.after() != Wait.Nothing.NOTHING || isBehindFrames(number))) {
                    packets.add(new Packet(first, wait, bytes.toByteArray()));
                    bytes.reset();
                    first = number;
                    wait = packet.after();
                }
                bytes.writeBytes(packet.bytes());
            }
        }
        packets.add(new Packet(first, wait, bytes.toByteArray()));
        return packets;
    }

    /** Frames are the last that a client sends. */
    private boolean isBehindFrames(int number) {
        return number > 0 && requests.get(number - 1).sendsFrames();
    }

    /** Sequences that are like it with something left out. */
    List<Sequence> smaller() {
        var smaller = new ArrayList<Sequence>();
        for (int number = requests.size() - 1; number >= 0 && requests.size() > 1; number--) {
            var fewer = new ArrayList<>(requests);
            fewer.remove(number);
            smaller.add(new Sequence(fewer, reading, leaving, leavesAfter));
        }
        for (int number = 0; number < requests.size(); number++) {
            var simpler = requests.get(number).simpler();
            for (var request : simpler) {
                var changed = new ArrayList<>(requests);
                changed.set(number, request);
                smaller.add(new Sequence(changed, reading, leaving, leavesAfter));
            }
        }
        if (reading != Reading.AT_ONCE) {
            smaller.add(new Sequence(requests, Reading.AT_ONCE, leaving, leavesAfter));
        }
        return smaller;
    }

    @Override
    public String toString() {
        var text = new StringBuilder("reads ").append(reading);
        if (leaving != Leaving.NEVER) {
            text.append(", leaves by ").append(leaving).append(" after packet ").append(leavesAfter);
        }
        for (int number = 0; number < requests.size(); number++) {
            text.append("\n  %3d  %s".formatted(number, requests.get(number)));
        }
        return text.toString();
    }
}
