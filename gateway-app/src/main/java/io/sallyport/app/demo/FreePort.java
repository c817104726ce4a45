// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** A loopback port for who has to know it before it listens. */
public final class FreePort {
    private FreePort() {}

    /** One that was free a moment ago, below the range that outgoing connections take theirs from. */
    public static int find() {
        return ThreadLocalRandom.current()
                .ints(1_000, 15_000, 32_000)
                .filter(FreePort::isFree)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no free port on the loopback address"));
    }

    /** Whether this one could be listened on just now. */
    public static boolean isFree(int port) {
        try (var socket = new ServerSocket()) {
            // As servers do it: a connection of a former run that still lingers does not count.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
