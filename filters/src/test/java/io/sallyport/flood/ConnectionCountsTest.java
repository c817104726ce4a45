// SPDX-License-Identifier: Apache-2.0
package io.sallyport.flood;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class ConnectionCountsTest {
    private final ConnectionCounts connections = new ConnectionCounts();

    @Test
    void a_network_counts_what_it_has_open() throws UnknownHostException {
        connections.opened(address("192.0.2.7"));
        connections.opened(address("192.0.2.7"));
        connections.closed(address("192.0.2.7"));

        assertThat(connections.count(address("192.0.2.7"))).isEqualTo(1);
        assertThat(connections.count(address("192.0.2.8"))).isZero();
    }

    @Test
    void addresses_of_one_ipv6_64_count_together() throws UnknownHostException {
        connections.opened(address("2001:db8::1"));
        connections.opened(address("2001:db8::2"));

        assertThat(connections.count(address("2001:db8::3"))).isEqualTo(2);
    }

    @Test
    void a_network_without_a_connection_takes_no_memory() throws UnknownHostException {
        connections.opened(address("192.0.2.7"));
        connections.closed(address("192.0.2.7"));

        assertThat(connections.networks()).isZero();
    }

    @Test
    void many_threads_lose_none() throws Exception {
        var peer = address("192.0.2.7");
        Callable<Boolean> openAndClose = () -> {
            for (int n = 0; n < 1000; n++) {
                connections.opened(peer);
                connections.opened(peer);
                connections.closed(peer);
            }
            return true;
        };
        try (var threads = Executors.newFixedThreadPool(4)) {
            for (var done : threads.invokeAll(Collections.nCopies(4, openAndClose))) {
                assertThat(done.get()).isTrue();
            }
        }

        assertThat(connections.count(peer)).isEqualTo(4000);
    }

    private static InetAddress address(String literal) throws UnknownHostException {
        return InetAddress.getByName(literal);
    }
}
