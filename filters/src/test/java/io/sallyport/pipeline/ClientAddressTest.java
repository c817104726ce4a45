// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClientAddressTest {
    @ParameterizedTest
    @CsvSource({
        "192.0.2.7, 192.0.2.7",
        "2001:db8:1:2::1, 2001:db8:1:2:ffff::9",
        "::ffff:192.0.2.7, 192.0.2.7",
        "64:ff9b::192.0.2.7, 192.0.2.7",
    })
    void one_party_is_an_ipv4_address_or_an_ipv6_64(String one, String other) throws UnknownHostException {
        assertThat(network(one)).isEqualTo(network(other));
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.7, 192.0.2.8",
        "255.255.255.255, 255.255.255.254",
        "2001:db8:1:2::1, 2001:db8:1:3::1",
        "64:ff9b::192.0.2.7, 64:ff9b::192.0.2.8",
        "0.0.0.0, ::",
        "127.0.0.1, ::1",
    })
    void others_are_others(String one, String other) throws UnknownHostException {
        assertThat(network(one)).isNotEqualTo(network(other));
    }

    private static long network(String address) throws UnknownHostException {
        return new ClientAddress(InetAddress.getByName(address), false).network();
    }
}
