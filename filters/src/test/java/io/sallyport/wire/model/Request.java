// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.sallyport.wire.model.Packet.Wait;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One request as a client sends it, and what is to be done with it. The fields are facts for {@link ConnectionModel}; the bytes
 * follow from them.
 */
final class Request implements Cloneable {
    /** Bytes of a body that the small route takes. */
    static final int SMALL = 1_000;

    enum Body {
        NONE,
        LENGTH,
        CHUNKED
    }

    enum Upgrade {
        NO,
        /** To a WebSocket, on a route that allows it. */
        ALLOWED,
        /** To a WebSocket, on a route that does not. */
        IGNORED,
        /** To something that no route knows. */
        OTHER
    }

    /** Where the bytes stop being a request. */
    enum Malformed {
        NO,
        HEAD,
        BODY
    }

    /** A place in the bytes where a packet begins. */
    private record Cut(double at, Wait after) {}

    private static final String FIRST_FRAMES = "\u0081\u0082\0\0\0\0hi\u0088\u0082\0\0\0\0\u0003\u00e8";

    /** What comes back over the WebSocket: the text, and the Close. */
    static final byte[] ECHOED_FRAMES = "\u0081\u0002hi\u0088\u0002\u0003\u00e8".getBytes(StandardCharsets.ISO_8859_1);

    String method = "GET";
    boolean filtered;
    Body body = Body.NONE;
    int bodyLength;
    boolean http10;
    boolean keepAlive;
    boolean close;
    boolean expects;
    boolean te;
    /** The status with which a stage refuses it, or 0. */
    int refusal;
    /** Whether a stage asks somebody before it says so. */
    boolean later;
    /** Whether it is a CORS preflight, which the gateway answers. */
    boolean preflight;
    /** Whether the route takes small bodies only. */
    boolean small;

    Malformed malformed = Malformed.NO;
    /** The bytes in place of a malformed head. */
    @Nullable
    String nonsense;
    /** What they are answered with. */
    int nonsenseStatus;

    Upgrade upgrade = Upgrade.NO;
    /** Whether the client sends frames before it has been answered. */
    boolean ahead;

    Script script = Script.ok();
    Wait before = Wait.Nothing.NOTHING;
    private List<Cut> cuts = List.of();

    static Request get() {
        return new Request();
    }

    static Request post(int length) {
        var request = new Request();
        request.method = "POST";
        request.body = Body.LENGTH;
        request.bodyLength = length;
        return request;
    }

    static Request chunked(int length) {
        var request = post(length);
        request.body = Body.CHUNKED;
        return request;
    }

    static Request preflight() {
        var request = new Request();
        request.method = "OPTIONS";
        request.preflight = true;
        return request;
    }

    static Request nonsense(String bytes, int status) {
        var request = new Request();
        request.malformed = Malformed.HEAD;
        request.nonsense = bytes;
        request.nonsenseStatus = status;
        return request;
    }

    static Request webSocket() {
        var request = new Request();
        request.upgrade = Upgrade.ALLOWED;
        request.script = Script.ok().status(101);
        return request;
    }

    Request throughFilters() {
        filtered = true;
        return this;
    }

    Request refused(int status) {
        refusal = status;
        return this;
    }

    Request asking(Upgrade upgrade) {
        this.upgrade = upgrade;
        return this;
    }

    Request expecting() {
        expects = true;
        return this;
    }

    Request script(Script script) {
        this.script = script;
        return this;
    }

    Request after(Wait wait) {
        before = wait;
        return this;
    }

    Request after(int millis) {
        return after(new Wait.Pause(millis));
    }

    /** Begins another packet at that share of the bytes; places are added in order. */
    Request cut(double at, Wait wait) {
        var more = new ArrayList<>(cuts);
        more.add(new Cut(at, wait));
        cuts = more;
        return this;
    }

    /** Requests that are like it and do one thing less. */
    List<Request> simpler() {
        var simpler = new ArrayList<Request>();
        simplify(simpler, !cuts.isEmpty(), request -> request.cuts = List.of());
        simplify(simpler, before != Wait.Nothing.NOTHING, request -> request.before = Wait.Nothing.NOTHING);
        simplify(simpler, filtered, request -> request.filtered = false);
        simplify(simpler, later, request -> request.later = false);
        simplify(simpler, te, request -> request.te = false);
        simplify(simpler, expects, request -> request.expects = false);
        simplify(simpler, bodyLength > 1 && !isTooLarge(), request -> request.bodyLength /= 2);
        simplify(
                simpler,
                script.length() > 1,
                request -> request.script = script.body(script.length() / 2, script.framing()));
        simplify(
                simpler,
                script.delayMillis() > 0 || script.pieces() > 1,
                request -> request.script = script.slow(0, 1));
        simplify(simpler, script.hints(), request -> request.script = script.hints(false));
        simplify(simpler, script.trailers(), request -> request.script = script.trailers(false));
        simplify(simpler, script.early(), request -> request.script = script.early(false));
        simplify(
                simpler,
                upgrade != Upgrade.ALLOWED && script.death() == Script.Death.NEVER && !script.equals(Script.ok()),
                request -> request.script = Script.ok());
        return simpler;
    }

    private void simplify(List<Request> simpler, boolean possible, Consumer<Request> change) {
        if (possible) {
            try {
                var copy = (Request) clone();
                change.accept(copy);
                simpler.add(copy);
            } catch (CloneNotSupportedException e) {
                throw new AssertionError(e);
            }
        }
    }

    boolean hasBody() {
        return body == Body.CHUNKED || bodyLength > 0;
    }

    boolean isTooLarge() {
        return small && bodyLength > SMALL;
    }

    /** Whether it goes to an upstream, as far as stages and bytes are concerned. */
    boolean isForwarded() {
        return refusal == 0 && !preflight && malformed != Malformed.HEAD;
    }

    /** Whether the client sends frames when it has been answered. */
    boolean sendsFrames() {
        return upgrade == Upgrade.ALLOWED && !ahead && script.status() == 101 && refusal == 0;
    }

    /** Whether it may be sent once more if its connection ends before any answer. */
    boolean isRepeatable() {
        return !hasBody() && (method.equals("GET") || isHead());
    }

    boolean isHead() {
        return method.equals("HEAD");
    }

    static byte[] content(int number, int length) {
        var unit = "body " + number + ". ";
        return unit.repeat(length / unit.length() + 1).substring(0, length).getBytes(StandardCharsets.ISO_8859_1);
    }

    /** The bytes as they are sent, which name the run and the place in its sequence. */
    List<Packet> packets(String run, int number) {
        var packets = new ArrayList<Packet>();
        var head = bytes(nonsense == null ? head(run + "-" + number) : nonsense);
        if (expects && hasBody()) {
            addCut(packets, number, before, head, true);
            addCut(packets, number, new Wait.Answers(number, true), body(number), false);
        } else if (sendsFrames()) {
            addCut(packets, number, before, head, true);
            addCut(packets, number, new Wait.Answers(number + 1, false), bytes(FIRST_FRAMES), false);
        } else {
            var all = Arrays.copyOf(head, head.length + body(number).length);
            System.arraycopy(body(number), 0, all, head.length, all.length - head.length);
            addCut(packets, number, before, all, true);
        }
        return packets;
    }

    private void addCut(List<Packet> packets, int number, Wait before, byte[] all, boolean withCuts) {
        int from = 0;
        var wait = before == Wait.Earlier.EARLIER ? new Wait.Answers(number, false) : before;
        for (var cut : withCuts ? cuts : List.<Cut>of()) {
            int to = (int) (all.length * cut.at());
            if (to > from) {
                packets.add(new Packet(number, wait, Arrays.copyOfRange(all, from, to)));
                wait = cut.after();
                from = to;
            }
        }
        packets.add(new Packet(number, wait, Arrays.copyOfRange(all, from, all.length)));
    }

    private String head(String id) {
        var head = new StringBuilder(method).append(" /").append(id).append(http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
        head.append("Host: localhost\r\n");
        switch (body) {
            case LENGTH -> head.append("Content-Length: ").append(bodyLength).append("\r\n");
            case CHUNKED -> head.append("Transfer-Encoding: chunked\r\n");
            case NONE -> {}
        }
        switch (upgrade) {
            case ALLOWED, IGNORED ->
                head.append("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
                        .append("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
            case OTHER -> head.append("Upgrade: h2c\r\n");
            case NO -> {}
        }
        if (preflight) {
            head.append("Origin: https://app.example.org\r\nAccess-Control-Request-Method: GET\r\n");
        }
        if (expects) {
            head.append("Expect: 100-continue\r\n");
        }
        if (te) {
            head.append("TE: trailers\r\n");
        }
        var connection = new ArrayList<String>();
        if (close) {
            connection.add("close");
        }
        if (keepAlive) {
            connection.add("keep-alive");
        }
        if (te) {
            connection.add("TE");
        }
        if (upgrade != Upgrade.NO) {
            connection.add("Upgrade");
        }
        if (!connection.isEmpty()) {
            head.append("Connection: ").append(String.join(", ", connection)).append("\r\n");
        }
        return head.append("\r\n").toString();
    }

    private byte[] body(int number) {
        if (upgrade == Upgrade.ALLOWED && ahead) {
            return bytes(FIRST_FRAMES);
        }
        var content = new String(content(number, bodyLength), StandardCharsets.ISO_8859_1);
        return bytes(
                switch (body) {
                    case NONE -> "";
                    case LENGTH -> content;
                    case CHUNKED -> chunks(content);
                });
    }

    private String chunks(String content) {
        int first = content.length() / 2;
        var chunks = chunk(content.substring(0, first));
        if (malformed == Malformed.BODY) {
            return chunks + "zz\r\n" + content;
        }
        return chunks + chunk(content.substring(first)) + "0\r\n" + (te ? "X-Checksum: none\r\n" : "") + "\r\n";
    }

    private static String chunk(String content) {
        return content.isEmpty() ? "" : Integer.toHexString(content.length()) + "\r\n" + content + "\r\n";
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Override
    public String toString() {
        var text = new StringBuilder("%-6s ".formatted(before));
        if (nonsense != null) {
            text.append("malformed: ").append(nonsense, 0, Math.min(40, nonsense.length()));
            return text.toString().replace("\r", "\\r").replace("\n", "\\n") + cutsText();
        }
        text.append(method)
                .append(http10 ? " 1.0" : "")
                .append(filtered ? " filters" : " plain")
                .append(small ? ", small bodies" : "");
        if (body != Body.NONE) {
            text.append(", body ").append(body).append(' ').append(bodyLength).append(" B");
        }
        text.append(malformed == Malformed.BODY ? " malformed" : "")
                .append(expects ? ", Expect" : "")
                .append(te ? ", TE" : "")
                .append(close ? ", close" : "")
                .append(keepAlive ? ", keep-alive" : "")
                .append(upgrade == Upgrade.NO ? "" : ", upgrade " + upgrade + (ahead ? " with frames ahead" : ""))
                .append(later ? ", judged later" : "");
        return text
                + (refusal != 0 ? " -> refused " + refusal : preflight ? " -> preflight" : " -> " + script)
                + cutsText();
    }

    private String cutsText() {
        return cuts.isEmpty()
                ? ""
                : " | cut "
                        + cuts.stream()
                                .map(cut -> "%.2f %s".formatted(cut.at(), cut.after()))
                                .toList();
    }
}
