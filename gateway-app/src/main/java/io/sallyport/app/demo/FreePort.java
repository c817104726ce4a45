// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** A loopback port for who has to know it before it listens. */
public final class FreePort {
    private FreePort() {}

    /** One that was free a moment ago. */
    public static int find() {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no free port on the loopback address", e);
        }
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
