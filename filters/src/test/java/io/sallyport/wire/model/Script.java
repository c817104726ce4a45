// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What the upstream does with one request.
 *
 * @param status of its answer; 101 agrees to a WebSocket
 * @param length bytes of the answer's body
 * @param hints whether an informational response comes first
 * @param early whether it answers before it has read the request's body
 * @param closes whether it says that it closes its connection, and does
 * @param delayMillis before the answer
 * @param pieces in how many writes the answer is sent
 */
record Script(
        int status,
        int length,
        Framing framing,
        boolean trailers,
        boolean hints,
        boolean early,
        boolean closes,
        Death death,
        int delayMillis,
        int pieces) {

    /** How the answer says where its body ends. */
    enum Framing {
        LENGTH,
        CHUNKED,
        UNTIL_CLOSE
    }

    /** Where the answer breaks off. */
    enum Death {
        NEVER,
        /** Before the head, and only the first time that the request comes. */
        FIRST_TIME,
        BEFORE_HEAD,
        IN_HEAD,
        IN_BODY,
        NONSENSE,
        /** There is none. */
        SILENT,
        /** It goes on for ever, as an event stream does. */
        ENDLESS
    }

    static Script ok() {
        return new Script(200, 20, Framing.LENGTH, false, false, false, false, Death.NEVER, 0, 1);
    }

    Script status(int status) {
        return new Script(status, length, framing, trailers, hints, early, closes, death, delayMillis, pieces);
    }

    Script body(int length, Framing framing) {
        return new Script(
                status,
                length,
                framing,
                trailers,
                hints,
                early,
                closes || framing == Framing.UNTIL_CLOSE,
                death,
                delayMillis,
                pieces);
    }

    Script trailers(boolean trailers) {
        return new Script(status, length, framing, trailers, hints, early, closes, death, delayMillis, pieces);
    }

    Script hints(boolean hints) {
        return new Script(status, length, framing, trailers, hints, early, closes, death, delayMillis, pieces);
    }

    Script early(boolean early) {
        return new Script(status, length, framing, trailers, hints, early, closes, death, delayMillis, pieces);
    }

    Script closes(boolean closes) {
        return new Script(status, length, framing, trailers, hints, early, closes, death, delayMillis, pieces);
    }

    Script dies(Death death) {
        return new Script(status, length, framing, trailers, hints, early, closes, death, delayMillis, pieces);
    }

    Script slow(int delayMillis, int pieces) {
        return new Script(status, length, framing, trailers, hints, early, closes, death, delayMillis, pieces);
    }

    /** Whether the connection ends with the answer. */
    boolean ends() {
        return closes || !(death == Death.NEVER || death == Death.FIRST_TIME);
    }

    /** Whether there is never an end of the answer, nor of the connection. */
    boolean isEndless() {
        return death == Death.SILENT || death == Death.ENDLESS;
    }

    boolean allowsBody(String method) {
        return !method.equals("HEAD") && status != 204 && status != 304;
    }

    boolean hasBody(String method) {
        return length > 0 && allowsBody(method);
    }

    /** The body of the answer to that request: it names its request all over. */
    static byte[] body(String id, int length) {
        var unit = "answer " + id + ". ";
        return unit.repeat(length / unit.length() + 1).substring(0, length).getBytes(StandardCharsets.ISO_8859_1);
    }

    /** The answer in pieces, up to where it breaks off. */
    List<byte[]> bytes(String id, String method) {
        if (status == 101) {
            return List.of("""
                    HTTP/1.1 101 Switching Protocols
                    Upgrade: websocket
                    Connection: Upgrade
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
                    X-Echo: %s

                    """.formatted(id).replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        }
        var head = head(id);
        var text = (hints ? "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" : "")
                + switch (death) {
                    case BEFORE_HEAD, SILENT -> "";
                    case IN_HEAD -> head.substring(0, head.length() - 4);
                    case NONSENSE -> "HTTP/7 ok\r\n\r\n";
                    case NEVER, FIRST_TIME -> head + content(id, method);
                    case IN_BODY, ENDLESS -> head + content(id, method).substring(0, cutAt(method));
                };
        return cut(text.getBytes(StandardCharsets.ISO_8859_1), pieces);
    }

    private int cutAt(String method) {
        return hasBody(method) ? length / 2 : 0;
    }

    private String head(String id) {
        var framed = switch (framing) {
            case LENGTH -> status == 204 ? "" : "Content-Length: " + length + "\r\n";
            case CHUNKED -> status == 204 ? "" : "Transfer-Encoding: chunked\r\n";
            case UNTIL_CLOSE -> "";
        };
        return "HTTP/1.1 " + status + " As Asked\r\nX-Echo: " + id + "\r\n" + framed
                + (closes ? "Connection: close\r\n" : "") + "\r\n";
    }

    private String content(String id, String method) {
        if (!hasBody(method)) {
            return framing == Framing.CHUNKED && allowsBody(method) ? "0\r\n" + trailerFields(id) + "\r\n" : "";
        }
        var body = new String(body(id, length), StandardCharsets.ISO_8859_1);
        if (framing != Framing.CHUNKED) {
            return body;
        }
        int first = length / 2 + 1;
        return Integer.toHexString(first) + "\r\n" + body.substring(0, first) + "\r\n"
                + (first == length ? "" : Integer.toHexString(length - first) + "\r\n" + body.substring(first) + "\r\n")
                + "0\r\n" + trailerFields(id) + "\r\n";
    }

    private String trailerFields(String id) {
        return trailers ? "X-Trailer: " + id + "\r\n" : "";
    }

    private static List<byte[]> cut(byte[] all, int pieces) {
        var cut = new ArrayList<byte[]>();
        int each = Math.max(1, all.length / pieces + 1);
        for (int at = 0; at < all.length; at += each) {
            cut.add(java.util.Arrays.copyOfRange(all, at, Math.min(all.length, at + each)));
        }
        return cut;
    }

    @Override
    public String toString() {
        return (death == Death.NEVER ? "" : "dies " + death + ", ") + status + " " + length + " B " + framing
                + (trailers ? ", trailers" : "")
                + (hints ? ", 103 first" : "") + (early ? ", before the body" : "") + (closes ? ", closes" : "")
                + (delayMillis > 0 ? ", after " + delayMillis + " ms" : "")
                + (pieces > 1 ? ", in " + pieces + " pieces" : "");
    }
}
