// SPDX-License-Identifier: Apache-2.0
package io.sallyport.outbound;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DialGuardTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "169.254.169.254",
                "169.254.170.2",
                "::ffff:169.254.169.254",
                "fe80::1",
                "fe80::a9fe:a9fe",
                "0.0.0.0",
                "::",
                "224.0.0.1",
                "ff02::1",
                // Alibaba Cloud, Azure, Oracle Cloud, Amazon EC2 and EKS, Google Cloud.
                "100.100.100.200",
                "168.63.129.16",
                "192.0.0.192",
                "fd00:ec2::254",
                "fd00:ec2::23",
                "fd20:ce::254",
                // The same inside what carries IPv4: NAT64 twice, 6to4, IPv4-compatible, ISATAP, Teredo.
                "64:ff9b::a9fe:a9fe",
                "64:ff9b:1::a9fe:a9fe",
                "2002:a9fe:a9fe::1",
                "::a9fe:a9fe",
                "2001:db8::5efe:a9fe:a9fe",
                "2001:0:4136:e378:8000:63bf:5601:5601",
                "64:ff9b::6464:64c8"
            })
    void metadata_services_and_nobodys_addresses_are_never_connected_to(String literal) throws UnknownHostException {
        assertThat(DialGuard.permits(InetAddress.getByName(literal), false)).isFalse();
        assertThat(DialGuard.permits(InetAddress.getByName(literal), true)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "::1",
                "10.1.2.3",
                "172.16.0.1",
                "172.31.255.254",
                "192.168.1.1",
                "100.64.0.1",
                "100.127.0.1",
                "0.1.2.3",
                "192.0.0.8",
                "198.18.0.1",
                "198.19.255.254",
                "240.0.0.1",
                "255.255.255.255",
                "fd00:ec2::255",
                "fc00::1",
                "2002:7f00:1::",
                "64:ff9b::7f00:1",
                "::ffff:10.0.0.1"
            })
    void private_addresses_are_connected_to_unless_only_public_ones_are_asked_for(String literal)
            throws UnknownHostException {
        assertThat(DialGuard.permits(InetAddress.getByName(literal), false)).isTrue();
        assertThat(DialGuard.permits(InetAddress.getByName(literal), true)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "93.184.216.34",
                "172.32.0.1",
                "100.128.0.1",
                "192.0.1.1",
                "198.20.0.1",
                "168.63.129.17",
                "2606:4700::1111",
                "2003::1"
            })
    void public_addresses_are_connected_to(String literal) throws UnknownHostException {
        assertThat(DialGuard.permits(InetAddress.getByName(literal), true)).isTrue();
    }
}
