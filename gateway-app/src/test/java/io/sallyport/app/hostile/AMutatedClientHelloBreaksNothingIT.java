// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Random;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Whatever stands where a ClientHello (RFC 8446 section 4.1.2) ought to be, the port tells of a fatal alert, closes or goes on
 * waiting, and serves everybody else. The mutations are those of every fuzzer: bits flipped, bytes replaced, cut out and doubled,
 * lengths that lie. The seed is fixed, so that what breaks once breaks again.
 */
class AMutatedClientHelloBreaksNothingIT {
    private static final int CONNECTIONS = switch (Effort.current()) {
        case SHORT -> 1_000;
        case ALL -> 10_000;
    };

    /** As many as wait for more at a time: their handshakes are given up later, by the listener's request-timeout. */
    private static final int HELD = 200;

    private static final int ALERT = 21;
    private static final int HANDSHAKE = 22;
    private static final int CHANGE_CIPHER_SPEC = 20;

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    private final Random random = new Random(20_261_122);

    @Test
    void and_neighbours_are_served_all_the_while() throws Exception {
        var seeds = List.of(clientHello("TLSv1.3"), clientHello("TLSv1.2"));
        var held = new ArrayDeque<Socket>();
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                var socket = new Socket(InetAddress.getLoopbackAddress(), world.port());
                held.add(socket);
                send(socket, mutate(seeds.get(i % seeds.size())));
                if (held.size() > HELD) {
                    requireNoNonsense(held.remove());
                }
                if (i % 500 == 0) {
                    world.requireNeighboursUnharmed(Way.DIRECT);
                }
            }
            world.requireNeighboursUnharmed(Way.DIRECT);
            try (var newcomer = world.connect()) {
                assertThat(newcomer.write("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n"
                                        .formatted(HostileWorld.NEIGHBOUR + "after-hellos", Way.DIRECT.host()))
                                .read()
                                .status())
                        .isEqualTo(200);
            }
        } finally {
            for (var socket : held) {
                socket.close();
            }
        }
    }

    /** What a client of the JDK says first: one record. */
    private static byte[] clientHello(String protocol) throws SSLException {
        var engine = world.tls().createSSLEngine();
        engine.setUseClientMode(true);
        var parameters = engine.getSSLParameters();
        parameters.setProtocols(new String[] {protocol});
        parameters.setServerNames(List.of(new SNIHostName("api.demo.localhost")));
        parameters.setApplicationProtocols(new String[] {"h2", "http/1.1"});
        engine.setSSLParameters(parameters);
        engine.beginHandshake();
        assertThat(engine.getHandshakeStatus()).isEqualTo(HandshakeStatus.NEED_WRAP);
        var record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), record);
        var hello = new byte[record.flip().remaining()];
        record.get(hello);
        return hello;
    }

    private byte[] mutate(byte[] hello) {
        var mutated = hello.clone();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            mutated = mutateOnce(mutated);
        }
        return mutated;
    }

    private byte[] mutateOnce(byte[] hello) {
        if (hello.length < 2) {
            return hello;
        }
        int at = random.nextInt(hello.length);
        int length = Math.min(hello.length - at, 1 + random.nextInt(32));
        var mutated = hello.clone();
        switch (random.nextInt(7)) {
            case 0 -> mutated[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> mutated[at] = (byte) random.nextInt(256);
            // A length is two or three bytes somewhere: the extremes find out who believes it.
            case 2 -> mutated[at] = random.nextBoolean() ? (byte) 0xff : 0;
            case 3 -> {
                return joined(hello, 0, at, hello, at + length, hello.length);
            }
            case 4 -> {
                return joined(hello, 0, at + length, hello, at, hello.length);
            }
            case 5 -> {
                return joined(hello, 0, at, hello, 0, 0);
            }
            default -> {
                var noise = new byte[length];
                random.nextBytes(noise);
                System.arraycopy(noise, 0, mutated, at, length);
            }
        }
        return mutated;
    }

    private static byte[] joined(byte[] a, int fromA, int toA, byte[] b, int fromB, int toB) {
        var joined = new ByteArrayOutputStream();
        joined.write(a, fromA, toA - fromA);
        joined.write(b, fromB, toB - fromB);
        return joined.toByteArray();
    }

    private static void send(Socket socket, byte[] hello) {
        try {
            socket.getOutputStream().write(hello);
        } catch (IOException e) {
            // Refused while it was still being sent.
        }
    }

    /** What came back, if anything did, is TLS. */
    private static void requireNoNonsense(Socket socket) throws IOException {
        try (socket) {
            socket.setSoTimeout(1);
            int type = socket.getInputStream().read();
            assertThat(type).isIn(-1, ALERT, HANDSHAKE, CHANGE_CIPHER_SPEC);
        } catch (SocketTimeoutException e) {
            // It waits for the rest.
        } catch (java.net.SocketException e) {
            // It was reset.
        }
    }
}
