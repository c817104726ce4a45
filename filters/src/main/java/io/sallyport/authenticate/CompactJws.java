// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.jose.Base64Url;
import io.sallyport.authenticate.jose.StrictJson;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A compact JWS (RFC 7515 section 7.1), taken apart and not looked at any further. */
final class CompactJws {
    /** No token of ours is longer; RFC 7519 has no limit of its own. */
    static final int MAX_CHARACTERS = 8 * 1024;

    private final Map<String, Object> header;
    private final byte[] payload;

    private CompactJws(Map<String, Object> header, byte[] payload) {
        this.header = header;
        this.payload = payload;
    }

    /** Reads in linear time, without an exception for any input; null if it is not three canonical parts that begin with a header. */
    static @Nullable CompactJws parse(String compact) {
        int first = compact.indexOf('.');
        int second = compact.indexOf('.', first + 1);
        // Five parts are an encrypted token (JWE). An empty last one is a signature, if a bad one:
        // so alg none is recorded as alg none.
        if (compact.length() > MAX_CHARACTERS
                || first <= 0
                || second < 0
                || compact.indexOf('.', second + 1) >= 0
                || Base64Url.decode(compact, second + 1, compact.length()) == null) {
            return null;
        }
        var json = Base64Url.decode(compact, 0, first);
        var header = json == null ? null : StrictJson.parseObject(json);
        var payload = Base64Url.decode(compact, first + 1, second);
        return header == null || payload == null ? null : new CompactJws(header, payload);
    }

    /** As {@link StrictJson} reads it. */
    Map<String, Object> header() {
        return header;
    }

    /** The claims, if the payload is any. */
    @Nullable
    Map<String, Object> claims() {
        return StrictJson.parseObject(payload);
    }
}
