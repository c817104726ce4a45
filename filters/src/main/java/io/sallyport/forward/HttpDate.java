// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.DateFormatter;
import io.netty.util.AsciiString;
import java.time.Instant;
import java.util.Date;

/** The {@code Date} field (RFC 9110 section 6.6.1), rendered once a second. */
public final class HttpDate {
    private static volatile HttpDate current = new HttpDate(Instant.EPOCH.getEpochSecond());

    private final long epochSecond;
    private final AsciiString value;

    private HttpDate(long epochSecond) {
        this.epochSecond = epochSecond;
        this.value = new AsciiString(DateFormatter.format(Date.from(Instant.ofEpochSecond(epochSecond))));
    }

    /** The date of that instant. On whatever thread. */
    public static AsciiString of(Instant instant) {
        return ofSecond(instant.getEpochSecond());
    }

    /** @param epochSecond seconds since 1970 */
    static AsciiString ofSecond(long epochSecond) {
        var cached = current;
        if (cached.epochSecond != epochSecond) {
            cached = new HttpDate(epochSecond);
            // Racing writers overwrite each other with values that are right at their own second.
            current = cached;
        }
        return cached.value;
    }
}
