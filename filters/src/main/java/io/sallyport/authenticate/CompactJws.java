// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.jose.Base64Url;
import io.sallyport.authenticate.jose.StrictJson;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A compact JWS (RFC 7515 section 7.1), taken apart and not looked at any further. */
final class CompactJws {
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
        // An empty last one is a signature, if a bad one: so alg none is recorded as alg none.
        if (first <= 0
                || second < 0
                || compact.indexOf('.', second + 1) >= 0
                || Base64Url.decode(compact, second + 1, compact.length()) == null) {
            return null;
        }
        var header = header(compact, first);
        var payload = Base64Url.decode(compact, first + 1, second);
        return header == null || payload == null ? null : new CompactJws(header, payload);
    }

    private static @Nullable Map<String, Object> header(String compact, int end) {
        var json = Base64Url.decode(compact, 0, end);
        return json == null ? null : StrictJson.parseObject(json);
    }

    /** Says of text that {@link #parse} does not take what is wrong with it. */
    static UnverifiedToken.Refused fault(String text) {
        int first = text.indexOf('.');
        var header = first <= 0 ? null : header(text, first);
        // RFC 7516 section 9: what tells an encrypted token from a signed one, whatever follows.
        if (header != null && header.containsKey("enc")) {
            return UnverifiedToken.Refused.ENCRYPTED;
        }
        int second = text.indexOf('.', first + 1);
        if (first < 0 || second < 0 || text.indexOf('.', second + 1) >= 0) {
            return UnverifiedToken.Refused.NOT_THREE_PARTS;
        }
        if (header == null) {
            return UnverifiedToken.Refused.HEADER_UNREADABLE;
        }
        return Base64Url.decode(text, first + 1, second) == null
                ? UnverifiedToken.Refused.PAYLOAD_UNREADABLE
                : UnverifiedToken.Refused.SIGNATURE_UNREADABLE;
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
