// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import io.sallyport.pipeline.RequestHead;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The field by which a request says through whom it came (RFC 9110 section 7.6.3). Each process has a name of its own there, so that a
 * request that comes back to one is known, and does not go round for ever.
 */
final class Via {
    private static final String NAME = "sallyport-"
            + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    private static final AsciiString HTTP_1_0 = AsciiString.cached("1.0 " + NAME);
    private static final AsciiString HTTP_1_1 = AsciiString.cached("1.1 " + NAME);
    private static final AsciiString HTTP_2 = AsciiString.cached("2.0 " + NAME);

    private Via() {}

    /** Adds this process behind whoever is there already. */
    static void write(RequestHead received, HttpHeaders out) {
        out.add(HttpHeaderNames.VIA, received.isHttp2() ? HTTP_2 : received.isHttp10() ? HTTP_1_0 : HTTP_1_1);
    }

    /** Whether a request has come through this process before. */
    static boolean names(HttpHeaders received) {
        if (!received.contains(HttpHeaderNames.VIA)) {
            return false;
        }
        for (var line : received.getAll(HttpHeaderNames.VIA)) {
            if (line.contains(NAME)) {
                return true;
            }
        }
        return false;
    }
}
