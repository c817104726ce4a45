// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.util.unit.DataSize;

/**
 * Ten kilobytes of a client make the gateway send, to the client and to the upstream, and allocate a hundred times that at most:
 * the factor that Envoy's threat model allows.
 */
@ParameterizedClass
@EnumSource(Way.class)
class ASmallRequestCostsLittleIT {
    private static final int SMALL = (int) DataSize.ofKilobytes(10).toBytes();
    private static final long LITTLE = DataSize.ofMegabytes(1).toBytes();
    private static final ThreadMXBean THREADS = ManagementFactory.getPlatformMXBean(ThreadMXBean.class);

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    @ParameterizedTest(name = "{0}")
    @MethodSource("single")
    void one_request_costs_little_of_everything(Attack attack) throws Exception {
        // Once before, so that nothing is counted that is made once.
        ask(attack);
        int mark = world.upstream().mark();
        long before = allocated();

        int answered = ask(attack);

        assertThat(allocated() - before).as("allocated").isBetween(1L, LITTLE);
        assertThat(answered).as("answered").isLessThan(SMALL);
        assertThat(forwarded(mark)).as("forwarded").isLessThan(2L * SMALL);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("several")
    void many_in_as_many_bytes_move_little(Attack attack) throws Exception {
        int mark = world.upstream().mark();

        int answered = ask(attack);

        assertThat(answered + forwarded(mark)).as("answered and forwarded").isLessThan(LITTLE);
    }

    private int ask(Attack attack) throws Exception {
        var text = attack.filledIn("/attack/small", way);
        assertThat(text.length()).isBetween(SMALL * 8 / 10, SMALL);
        try (var connection = world.connect()) {
            return connection.write(text).readToEnd().length();
        }
    }

    private static long forwarded(int mark) {
        return world.upstream().since(mark).stream()
                .mapToLong(message -> message.bytes().length())
                .sum();
    }

    /** By the gateway's threads. */
    private static long allocated() {
        return Arrays.stream(THREADS.getThreadInfo(THREADS.getAllThreadIds()))
                .filter(thread -> thread != null && thread.getThreadName().startsWith("sallyport-"))
                .mapToLong(thread -> THREADS.getThreadAllocatedBytes(thread.getThreadId()))
                .sum();
    }

    private static String repeated(String text, int length) {
        return text.repeat(length / text.length());
    }

    static Stream<Attack> single() {
        var last = "Connection: close\r\n\r\n";
        var get = "GET {target} HTTP/1.1\r\nHost: {host}\r\n";
        var chunked = "POST {target} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n" + last;
        return Stream.of(
                new Attack("one long field", get + "X: " + "y".repeat(9_000) + "\r\n" + last),
                new Attack(
                        "many short fields",
                        get + repeated("X: y\r\n", 560) + "Y: " + "z".repeat(9_000) + "\r\n" + last),
                new Attack("more fields than are read", get + repeated("X: y\r\n", 9_000) + last),
                new Attack("a long list of options", get + "Connection: " + repeated("a,", 9_000) + "a\r\n" + last),
                new Attack("many ranges", get + "Range: bytes=" + repeated("0-,", 9_000) + "0-\r\n" + last),
                new Attack(
                        "a long list of addresses",
                        get + "X-Forwarded-For: " + repeated("1.1.1.1,", 9_000) + "::\r\n" + last),
                new Attack("many cookies", get + "Cookie: " + repeated("a=b; ", 9_000) + "\r\n" + last),
                new Attack(
                        "a long credential", get + "Authorization: Bearer " + repeated("a.", 9_000) + "a\r\n" + last),
                new Attack(
                        "a long path",
                        "GET /" + repeated("a/", 7_500) + " HTTP/1.1\r\nHost: {host}\r\nY: " + "z".repeat(1_000)
                                + "\r\n" + last),
                new Attack(
                        "a long path in escapes",
                        "GET /" + repeated("%61/", 7_500) + " HTTP/1.1\r\nHost: {host}\r\nY: " + "z".repeat(1_000)
                                + "\r\n" + last),
                new Attack("a body", chunked + "2600\r\n" + "b".repeat(0x2600) + "\r\n0\r\n\r\n"),
                new Attack(
                        "long extensions", chunked + repeated("1;aaaaaaaaaaaaaaaaaaaa\r\nb\r\n", 9_000) + "0\r\n\r\n"));
    }

    static Stream<Attack> several() {
        var last = "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n";
        return Stream.of(
                new Attack(
                        "short chunks",
                        "POST {target} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                                + repeated("1\r\nb\r\n", 9_000) + "0\r\n\r\n"),
                new Attack(
                        "requests for what is guarded",
                        "GET /secret/ HTTP/1.1\r\nHost: {host}\r\n\r\n".repeat(220) + last),
                new Attack("requests for an unknown host", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(350) + last),
                new Attack(
                        "requests that are forwarded",
                        "GET /{host} HTTP/1.1\r\nHost: {host}\r\n\r\n".repeat(190) + last));
    }
}
