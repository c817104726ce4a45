// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.pipeline.RequestHead;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The opening handshake of one WebSocket (RFC 6455 section 4), between client and upstream: the client's key goes to the upstream,
 * and the upstream's proof that it has read it goes to the client, after it was verified here. Extensions are not negotiated:
 * what the client offers of them does not reach the upstream.
 */
final class WebSocketHandshake {
    private static final String WEBSOCKET = HttpHeaderValues.WEBSOCKET.toString();
    private static final String VERSION = "13";
    private static final int KEY_BYTES = 16;

    /** RFC 6455 section 1.3. */
    private static final String ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    private static final Denial MALFORMED = new Denial.Rejected(Reason.FORWARD_WEBSOCKET_MALFORMED);
    private static final Denial OTHER_VERSION = new Denial.UpgradeRequired(Reason.FORWARD_WEBSOCKET_VERSION);
    private static final Denial ORIGIN_REFUSED = new Denial.Forbidden(Reason.FORWARD_WEBSOCKET_ORIGIN);

    private final String key;
    private final List<String> protocolFields;

    private WebSocketHandshake(HttpHeaders request) {
        this.key = request.get(HttpHeaderNames.SEC_WEBSOCKET_KEY);
        this.protocolFields = request.getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL);
    }

    /** Whether a request asks to become a WebSocket, rightly or not. */
    static boolean isAskedFor(HttpHeaders request) {
        return request.contains(HttpHeaderNames.UPGRADE)
                && request.containsValue(HttpHeaderNames.UPGRADE, WEBSOCKET, true);
    }

    /** Reads the client's part of it, which {@link #refusalOf} has found right. */
    static WebSocketHandshake of(HttpHeaders request) {
        return new WebSocketHandshake(request);
    }

    /** Why a request that asks for it does not become a WebSocket on those terms, or null if it may. */
    static @Nullable Denial refusalOf(RequestHead head, WebSocketPlan plan) {
        var request = head.headers();
        if (!head.method().equals(HttpMethod.GET)
                || head.isHttp2()
                || RequestHeaders.announceBody(request)
                || !isOnly(request, HttpHeaderNames.UPGRADE, WEBSOCKET)
                || !request.containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true)) {
            return MALFORMED;
        }
        var versions = request.getAll(HttpHeaderNames.SEC_WEBSOCKET_VERSION);
        if (versions.size() != 1) {
            return MALFORMED;
        }
        if (!versions.getFirst().equals(VERSION)) {
            return OTHER_VERSION;
        }
        var keys = request.getAll(HttpHeaderNames.SEC_WEBSOCKET_KEY);
        if (keys.size() != 1 || !isKey(keys.getFirst())) {
            return MALFORMED;
        }
        var origins = request.getAll(HttpHeaderNames.ORIGIN);
        if (origins.size() > 1) {
            return MALFORMED;
        }
        // A browser sends it with every WebSocket. Who sends none is no browser, and not led astray by a page of
        // another's.
        return origins.isEmpty() || plan.origins().contains(origins.getFirst()) ? null : ORIGIN_REFUSED;
    }

    private static boolean isKey(String key) {
        try {
            var bytes = Base64.getDecoder().decode(key);
            return bytes.length == KEY_BYTES
                    && Base64.getEncoder().encodeToString(bytes).equals(key);
        } catch (IllegalArgumentException _) {
            return false;
        }
    }

    private static boolean isOnly(HttpHeaders head, CharSequence name, String value) {
        var values = head.getAll(name);
        return values.size() == 1 && values.getFirst().equalsIgnoreCase(value);
    }

    /** Makes the request to the upstream the same handshake, whatever filters have made of its fields. */
    void writeRequest(HttpHeaders out) {
        out.remove(HttpHeaderNames.TE);
        out.remove(HttpHeaderNames.SEC_WEBSOCKET_EXTENSIONS);
        out.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE);
        out.set(HttpHeaderNames.UPGRADE, WEBSOCKET);
        out.set(HttpHeaderNames.SEC_WEBSOCKET_VERSION, VERSION);
        out.set(HttpHeaderNames.SEC_WEBSOCKET_KEY, key);
        out.remove(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL);
        out.add(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL, protocolFields);
    }

    /** What is wrong with a 101 of the upstream as the answer to this handshake, or null. */
    @Nullable
    String problemOf(HttpHeaders answer) {
        if (!isOnly(answer, HttpHeaderNames.UPGRADE, WEBSOCKET)
                || !answer.containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true)) {
            return "a switch to another protocol than a WebSocket";
        }
        var accepted = answer.getAll(HttpHeaderNames.SEC_WEBSOCKET_ACCEPT);
        if (accepted.size() != 1 || !accepted.getFirst().equals(accept())) {
            return "Sec-WebSocket-Accept that is not of this handshake";
        }
        if (answer.contains(HttpHeaderNames.SEC_WEBSOCKET_EXTENSIONS)) {
            return "a WebSocket extension that was not asked for";
        }
        var chosen = answer.getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL);
        if (chosen.size() > 1 || (chosen.size() == 1 && !offered().contains(chosen.getFirst()))) {
            return "a WebSocket subprotocol that was not asked for";
        }
        return answer.contains(HttpHeaderNames.CONTENT_LENGTH) || answer.contains(HttpHeaderNames.TRANSFER_ENCODING)
                ? "an interim answer with a body"
                : null;
    }

    private List<String> offered() {
        var offered = new ArrayList<String>();
        for (var field : protocolFields) {
            for (var protocol : field.split(",", -1)) {
                offered.add(protocol.strip());
            }
        }
        return offered;
    }

    /** Makes the answer to the client the upstream's, which was found right, whatever filters have made of its fields. */
    void writeAnswer(HttpHeaders answer, HttpHeaders out) {
        out.remove(HttpHeaderNames.TRANSFER_ENCODING);
        out.remove(HttpHeaderNames.SEC_WEBSOCKET_EXTENSIONS);
        out.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE);
        out.set(HttpHeaderNames.UPGRADE, WEBSOCKET);
        out.set(HttpHeaderNames.SEC_WEBSOCKET_ACCEPT, accept());
        out.remove(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL);
        out.add(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL, answer.getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL));
    }

    /** RFC 6455 section 4.2.2: shows that the upstream means a WebSocket, and is nothing that needs to be kept secret. */
    private String accept() {
        try {
            var hash = MessageDigest.getInstance("SHA-1")
                    .digest((key + ACCEPT_SUFFIX).getBytes(StandardCharsets.US_ASCII));
            return Base64.getEncoder().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has it", e);
        }
    }
}
