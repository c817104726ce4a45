// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sallyport.config.InvalidSetting;
import java.net.Inet6Address;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Address ranges and the addresses in them, read one way. */
class CidrTest {

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.255.255.255, true",
        "10.0.0.0/8, 11.0.0.0, false",
        "10.32.0.0/11, 10.63.255.255, true",
        "10.32.0.0/11, 10.64.0.0, false",
        "192.0.2.7, 192.0.2.7, true",
        "192.0.2.7, 192.0.2.6, false",
        "0.0.0.0/0, 203.0.113.9, true",
        "0.0.0.0/0, 2001:db8::1, false",
        "::/0, 2001:db8::1, true",
        "::/0, 203.0.113.9, false",
        "::/0, ::ffff:203.0.113.9, false",
        "10.0.0.0/8, ::ffff:10.1.2.3, true",
        "2001:db8::/33, 2001:db8:7fff:ffff::, true",
        "2001:db8::/33, 2001:db8:8000::, false",
        "2001:db8::1, 2001:db8::1, true",
    })
    void a_range_holds_the_addresses_that_share_its_prefix(String cidr, String address, boolean expected) {
        assertThat(Cidr.parse(cidr).contains(requireNonNull(IpLiteral.parse(address))))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/8",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/+8",
                "10.0.0.0/08",
                "10.0.0.0/8/8",
                "10.0.0.0/255.0.0.0",
                "10.0.0.1/8",
                "10/8",
                "10.*",
                "10\\..*",
                "localhost",
                "010.0.0.0/8",
                "2001:db8::1/32",
                "::/129",
                "fe80::1%eth0",
                "[::1]",
                "::ffff:10.0.0.0/104",
                " 10.0.0.0/8",
                "10.0.0.0 /8",
                "1.2.3.4.5",
                "1.2.3",
                "256.0.0.1",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "1::2::3",
                ":1::",
                "1:::2",
                "12345::",
                "::g",
                "1:2:3:4:5:6:7::8",
                "::1.2.3",
                "1.2.3.4::",
                "\u0661.2.3.4"
            })
    void what_is_no_range_is_refused(String text) {
        assertThatExceptionOfType(InvalidSetting.class).isThrownBy(() -> Cidr.parse(text));
    }

    @Test
    void a_range_with_bits_after_its_prefix_is_answered_with_the_range_that_was_meant() {
        assertThatExceptionOfType(InvalidSetting.class)
                .isThrownBy(() -> Cidr.parse("10.1.2.3/8"))
                .satisfies(e -> assertThat(e.expected()).isEqualTo("the first address of the range: 10.0.0.0/8"));
    }

    @ParameterizedTest
    @CsvSource({
        "::, 0:0:0:0:0:0:0:0",
        "::1, 0:0:0:0:0:0:0:1",
        "1::, 1:0:0:0:0:0:0:0",
        "1:2:3:4:5:6:7:8, 1:2:3:4:5:6:7:8",
        "2001:DB8::a:b, 2001:db8:0:0:0:0:a:b",
        "64:ff9b::192.0.2.33, 64:ff9b:0:0:0:0:c000:221",
        "::ffff:192.0.2.33, 192.0.2.33",
        "::ffff:c000:221, 192.0.2.33",
        "0.0.0.0, 0.0.0.0",
        "255.255.255.255, 255.255.255.255",
    })
    void addresses_are_read(String text, String address) {
        assertThat(requireNonNull(IpLiteral.parse(text)).getHostAddress()).isEqualTo(address);
    }

    @Test
    void an_ipv4_mapped_address_of_a_socket_is_the_ipv4_address() throws UnknownHostException {
        var mapped = Inet6Address.getByAddress("", new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 10, 1, 2, 3}, -1);

        assertThat(IpLiteral.withoutMapping(mapped)).isEqualTo(IpLiteral.parse("10.1.2.3"));
        assertThat(Cidr.parse("10.0.0.0/8").contains(mapped)).isTrue();
    }
}
