// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.decision.Reason;
import io.sallyport.identity.IdentityHeaders;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One walk over a request's header fields: each is judged, and what later steps need of them is kept. */
final class HeaderScan {
    // What a field costs in a codec's table besides its characters, for HTTP/2 as in RFC 9113 section 6.5.2.
    private static final int FIELD_OVERHEAD = 4;

    /** A transaction token begins at the edge of a trust domain: a client that has one got it from within. */
    private static final String TXN_TOKEN = "txn-token";

    private final HeadLimits limits;
    private final IdentityHeaders identityHeaders;

    private int hosts;
    private @Nullable CharSequence host;
    private int contentLengths;
    private @Nullable CharSequence contentLength;
    private boolean expectsOther;
    private @Nullable List<CharSequence> toRemove;
    private @Nullable CharSequence offender;

    HeaderScan(HeadLimits limits, IdentityHeaders identityHeaders) {
        this.limits = limits;
        this.identityHeaders = identityHeaders;
    }

    /** Why the fields are refused, or null. */
    @Nullable
    Reason read(HttpHeaders headers) {
        int lines = 0;
        int size = 0;
        for (var fields = headers.iteratorCharSequence(); fields.hasNext(); ) {
            var field = fields.next();
            var name = field.getKey();
            var value = field.getValue();
            size += name.length() + value.length() + FIELD_OVERHEAD;
            if (++lines > limits.maxHeaderLines() || size > limits.maxHeaders()) {
                return Reason.EDGE_HEADERS_TOO_LARGE;
            }
            var refused = judge(name, value);
            if (refused != null) {
                offender = name;
                return refused;
            }
        }
        return null;
    }

    private @Nullable Reason judge(CharSequence name, CharSequence value) {
        if (!isName(name)) {
            return Reason.EDGE_HEADER_NAME_REFUSED;
        }
        if (!isValue(value)) {
            return Reason.EDGE_HEADER_VALUE_REFUSED;
        }
        switch (name.length()) {
            case 4 -> {
                if (HttpHeaderNames.HOST.contentEqualsIgnoreCase(name)) {
                    hosts++;
                    host = value;
                }
            }
            case 6 -> {
                if (HttpHeaderNames.EXPECT.contentEqualsIgnoreCase(name)) {
                    expectsOther |= !HttpHeaderValues.CONTINUE.contentEqualsIgnoreCase(value);
                }
            }
            case 10 -> {
                if (HttpHeaderNames.CONNECTION.contentEqualsIgnoreCase(name) && nominatesSensitive(value)) {
                    return Reason.EDGE_CONNECTION_NOMINATION;
                }
            }
            case 14 -> {
                if (HttpHeaderNames.CONTENT_LENGTH.contentEqualsIgnoreCase(name)) {
                    contentLengths++;
                    contentLength = value;
                }
            }
            default -> {}
        }
        var found = identityHeaders.find(name);
        if (found != null) {
            if (found.equals(TXN_TOKEN)) {
                return Reason.EDGE_TXN_TOKEN_FROM_OUTSIDE;
            }
            if (toRemove == null) {
                toRemove = new ArrayList<>(4);
            }
            toRemove.add(name);
        }
        return null;
    }

    // Fewer than a token has (RFC 9110 section 5.6.2):
    // CGI and its heirs make one and the same variable of X-A, X_A and X.A.
    private static boolean isName(CharSequence name) {
        for (int i = 0; i < name.length(); i++) {
            if (!IdentityHeaders.isNameCharacter(name.charAt(i))) {
                return false;
            }
        }
        return !name.isEmpty();
    }

    // HTTP/1.1's codec takes the white space around a value off, HTTP/2's leaves it in, where it is
    // malformed (RFC 9113 section 8.2.1): whoever reads the value behind us would find another one.
    private static boolean isValue(CharSequence value) {
        if (!value.isEmpty() && (isBlank(value.charAt(0)) || isBlank(value.charAt(value.length() - 1)))) {
            return false;
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if ((c < ' ' && c != '\t') || c == 0x7f || c > 0xff) {
                return false;
            }
        }
        return true;
    }

    private boolean nominatesSensitive(CharSequence options) {
        int from = 0;
        for (int i = 0; i <= options.length(); i++) {
            if (i == options.length() || options.charAt(i) == ',') {
                var option = trimmed(options, from, i);
                // What is no name is read as one by some: close; x, "close".
                if (!option.isEmpty() && (!isName(option) || identityHeaders.isSensitive(option))) {
                    return true;
                }
                from = i + 1;
            }
        }
        return false;
    }

    /** That part of the text without blanks and tabs around it. */
    static CharSequence trimmed(CharSequence text, int from, int to) {
        int start = from;
        int end = to;
        while (start < end && isBlank(text.charAt(start))) {
            start++;
        }
        while (start < end && isBlank(text.charAt(end - 1))) {
            end--;
        }
        return text.subSequence(start, end);
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }

    /**
     * Removes what no client may say.
     *
     * @param ofRoute which of them; null for all that the gateway removes
     * @param removed told what was removed, as {@link IdentityHeaders#find} calls it
     */
    void removeIdentityHeaders(HttpHeaders headers, @Nullable IdentityHeaders ofRoute, Consumer<String> removed) {
        if (toRemove == null) {
            return;
        }
        for (int i = 0; i < toRemove.size(); i++) {
            var name = toRemove.get(i);
            var found = (ofRoute == null ? identityHeaders : ofRoute).find(name);
            if (found != null) {
                headers.remove(name);
                removed.accept(found);
            }
        }
    }

    int hosts() {
        return hosts;
    }

    /** The last {@code Host}. */
    @Nullable
    CharSequence host() {
        return host;
    }

    boolean expectsOther() {
        return expectsOther;
    }

    /** The announced length of the body, -1 if there is none, or -2 if it has more than one reading. */
    long contentLength() {
        var announced = contentLength;
        if (announced == null) {
            return -1;
        }
        if (contentLengths > 1 || announced.isEmpty() || announced.length() > 18) {
            return -2;
        }
        long length = 0;
        for (int i = 0; i < announced.length(); i++) {
            char c = announced.charAt(i);
            if (c < '0' || c > '9') {
                return -2;
            }
            length = length * 10 + (c - '0');
        }
        return length;
    }

    /** The name of the refused field, as far as it is fit to be recorded. */
    @Nullable
    String offender() {
        if (offender == null || !isPrintable(offender)) {
            return null;
        }
        return offender.subSequence(0, Math.min(64, offender.length())).toString();
    }

    private static boolean isPrintable(CharSequence text) {
        return text.chars().allMatch(c -> c > ' ' && c < 0x7f);
    }
}
