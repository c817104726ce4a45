// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import io.netty.handler.codec.DateFormatter;
import io.netty.util.AsciiString;
import java.time.Instant;
import java.util.Date;

/** The {@code Date} field (RFC 9110 section 6.6.1), rendered once a second. */
final class HttpDate {
    private static volatile HttpDate current = new HttpDate(Instant.EPOCH.getEpochSecond());

    private final long epochSecond;
    private final AsciiString value;

    private HttpDate(long epochSecond) {
        this.epochSecond = epochSecond;
        this.value = new AsciiString(DateFormatter.format(Date.from(Instant.ofEpochSecond(epochSecond))));
    }

    static AsciiString of(Instant instant) {
        var cached = current;
        if (cached.epochSecond != instant.getEpochSecond()) {
            cached = new HttpDate(instant.getEpochSecond());
            // Racing writers overwrite each other with values that are right at their own second.
            current = cached;
        }
        return cached.value;
    }
}
