// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.config.InvalidSetting;

/**
 * A host that routes answer for: a DNS name or an IPv4 address, exact, in lower case, without a port.
 *
 * @param value 1 to 253 characters; labels of letters, digits and dashes (RFC 1123 section 2.1), no final dot
 */
public record HostName(String value) {
    public HostName {
        if (value.indexOf('*') >= 0) {
            throw new InvalidSetting("", value, "one exact host name: wildcards are not matched, list each host");
        }
        if (!Authority.isHostName(value, 0, value.length()) || !value.equals(Authority.lowerCase(value))) {
            throw new InvalidSetting("", value, "a host name in lower case, without port and final dot");
        }
    }

    /**
     * Reads a host name.
     *
     * @throws InvalidSetting if it is not exact and in lower case
     */
    public static HostName parse(String text) {
        return new HostName(text);
    }

    @Override
    public String toString() {
        return value;
    }
}
