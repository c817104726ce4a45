// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import io.sallyport.forward.upstream.FieldNames;
import java.util.ArrayList;
import java.util.List;

/** The fields that are about one connection, and end with it in both directions (RFC 9110 section 7.6.1). */
final class HopByHop {
    static final FieldNames NAMES = FieldNames.of(
            "connection",
            "http2-settings",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade");

    private HopByHop() {}

    /** The fields that {@code Connection} nominates; none, in nearly all heads. */
    static List<String> nominatedBy(HttpHeaders head) {
        var values = head.getAll(HttpHeaderNames.CONNECTION);
        if (values.isEmpty()) {
            return List.of();
        }
        var nominated = new ArrayList<String>();
        for (var value : values) {
            for (var option : value.split(",", -1)) {
                var name = option.strip();
                if (!name.isEmpty()) {
                    nominated.add(name);
                }
            }
        }
        return nominated;
    }

    static boolean isNominated(List<String> nominated, CharSequence name) {
        for (var candidate : nominated) {
            if (AsciiString.contentEqualsIgnoreCase(candidate, name)) {
                return true;
            }
        }
        return false;
    }
}
