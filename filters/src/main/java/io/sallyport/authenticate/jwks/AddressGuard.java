// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/**
 * Looks at each address that a connection to an issuer is about to be made to: a name that the operator wrote can be made to lead
 * anywhere by whoever answers for it in DNS. In the channel and not before it, so that there is no second look-up with another answer.
 */
@Sharable
public final class AddressGuard extends ChannelOutboundHandlerAdapter {
    private final boolean publicOnly;

    /** @param publicOnly whether loopback and private networks are refused as well */
    public AddressGuard(boolean publicOnly) {
        this.publicOnly = publicOnly;
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
            promise.setFailure(
                    new JwkSetEndpoint.UnusableAnswer("the endpoint is at an address that is not connected to"));
        }
    }

    /** Whether keys may come from there. */
    static boolean permits(InetAddress address, boolean publicOnly) {
        // Where clouds hand out the machine's own credentials (169.254.169.254), and where nobody can be.
        if (address.isLinkLocalAddress() || address.isMulticastAddress() || address.isAnyLocalAddress()) {
            return false;
        }
        return !publicOnly || !isSpecial(address);
    }

    /** Of RFC 6890 and its successors, what a name on the internet has no business with. */
    private static boolean isSpecial(InetAddress address) {
        if (address.isLoopbackAddress() || address.isSiteLocalAddress()) {
            return true;
        }
        var bytes = address.getAddress();
        int first = bytes[0] & 0xff;
        int second = bytes[1] & 0xff;
        if (address instanceof Inet6Address) {
            // Unique local (RFC 4193), and what carries an IPv4 address inside: 6to4 and NAT64.
            return (first & 0xfe) == 0xfc || (first == 0x20 && second == 0x02) || (first == 0x00 && second == 0x64);
        }
        return first == 0
                || first >= 240
                || (first == 100 && (second & 0xc0) == 64)
                || (first == 192 && second == 0 && bytes[2] == 0)
                || (first == 198 && (second & 0xfe) == 18);
    }
}
