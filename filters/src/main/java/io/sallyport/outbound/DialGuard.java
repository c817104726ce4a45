// SPDX-License-Identifier: Apache-2.0
package io.sallyport.outbound;

import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Looks at each address that a fetch is about to connect to: a name that the operator wrote can be made to lead anywhere by whoever
 * answers for it in DNS. It stands in the channel, where the connection is made: the address that it looks at is the one that is
 * dialled, and no second answer of DNS comes between.
 */
@Sharable
public final class DialGuard extends ChannelOutboundHandlerAdapter {
    /**
     * Where clouds hand out the machine's own credentials, as far as those addresses are not link-local: Alibaba Cloud, Azure's host
     * agent, Oracle Cloud, Amazon EC2 and EKS over IPv6, Google Cloud over IPv6.
     */
    private static final Set<InetAddress> METADATA = Set.of(
            address(100, 100, 100, 200),
            address(168, 63, 129, 16),
            address(192, 0, 0, 192),
            address(0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54),
            address(0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x23),
            address(0xfd, 0x20, 0, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54));

    private final boolean publicOnly;

    /** @param publicOnly whether loopback and private networks are refused as well */
    public DialGuard(boolean publicOnly) {
        this.publicOnly = publicOnly;
    }

    /** An address that is not connected to. For the operator's log. */
    public static final class Refused extends IOException {
        private static final long serialVersionUID = 1L;

        Refused(SocketAddress address) {
            super("%s is an address that the gateway fetches nothing from".formatted(address));
        }
    }

    @Override
    public void connect(
            ChannelHandlerContext context, SocketAddress remote, SocketAddress local, ChannelPromise promise)
            throws Exception {
        if (remote instanceof InetSocketAddress address
                && address.getAddress() != null
                && permits(address.getAddress(), publicOnly)) {
            super.connect(context, remote, local, promise);
        } else {
            promise.setFailure(new Refused(remote));
        }
    }

    /** Whether anything may be fetched from there. */
    static boolean permits(InetAddress address, boolean publicOnly) {
        if (address.isLinkLocalAddress()
                || address.isMulticastAddress()
                || address.isAnyLocalAddress()
                || METADATA.contains(address)) {
            return false;
        }
        var inside = embedded(address);
        if (inside != null && !permits(inside, publicOnly)) {
            return false;
        }
        return !publicOnly || !isSpecial(address);
    }

    /** The IPv4 address that a gateway between the two protocols would connect to in its place, or null if it has none inside. */
    private static @Nullable InetAddress embedded(InetAddress address) {
        if (!(address instanceof Inet6Address six)) {
            return null;
        }
        var bytes = six.getAddress();
        if (startsWith(bytes, 0x20, 0x02)) {
            return four(bytes, 2, 0); // 6to4, RFC 3056
        }
        if (startsWith(bytes, 0x20, 0x01, 0, 0)) {
            return four(bytes, 12, 0xff); // Teredo, RFC 4380
        }
        boolean isIsatap =
                (bytes[8] & 0xfd) == 0 && startsWith(Arrays.copyOfRange(bytes, 9, 12), 0, 0x5e, 0xfe); // RFC 5214
        boolean hasAtItsEnd = isIsatap
                || startsWith(bytes, 0, 0x64, 0xff, 0x9b) // NAT64, RFC 6052 and RFC 8215
                || (six.isIPv4CompatibleAddress() && !six.isLoopbackAddress());
        return hasAtItsEnd ? four(bytes, 12, 0) : null;
    }

    private static boolean startsWith(byte[] bytes, int... prefix) {
        for (int i = 0; i < prefix.length; i++) {
            if ((bytes[i] & 0xff) != prefix[i]) {
                return false;
            }
        }
        return true;
    }

    private static InetAddress four(byte[] bytes, int from, int mask) {
        return address(
                (bytes[from] ^ mask) & 0xff,
                (bytes[from + 1] ^ mask) & 0xff,
                (bytes[from + 2] ^ mask) & 0xff,
                (bytes[from + 3] ^ mask) & 0xff);
    }

    /** Of RFC 6890 and its successors, what a name on the internet has no business with. */
    private static boolean isSpecial(InetAddress address) {
        if (address.isLoopbackAddress() || address.isSiteLocalAddress()) {
            return true;
        }
        var bytes = address.getAddress();
        int first = bytes[0] & 0xff;
        int second = bytes[1] & 0xff;
        if (address instanceof Inet4Address) {
            return first == 0
                    || first >= 240
                    || (first == 100 && (second & 0xc0) == 64)
                    || (first == 192 && second == 0 && bytes[2] == 0)
                    || (first == 198 && (second & 0xfe) == 18);
        }
        // Unique local (RFC 4193), and what carries an IPv4 address inside: 6to4 and NAT64.
        return (first & 0xfe) == 0xfc || (first == 0x20 && second == 0x02) || (first == 0x00 && second == 0x64);
    }

    private static InetAddress address(int... octets) {
        var bytes = new byte[octets.length];
        for (int i = 0; i < octets.length; i++) {
            bytes[i] = (byte) octets[i];
        }
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("an address of %d bytes".formatted(bytes.length), e);
        }
    }
}
