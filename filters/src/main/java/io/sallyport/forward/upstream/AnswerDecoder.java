// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpResponseDecoder;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the answers on one upstream connection. Does what the decoder inside Netty's {@code HttpClientCodec} does, and tells what
 * that one keeps to itself: whether bytes are left behind the end of an answer, and whether the lines of a head are what RFC 9112
 * allows. Netty mends what it can: it joins folded lines, skips what stands before a status line, takes any version, and ends a
 * name at white space; a client that reads the same bytes with other eyes would find another answer in them.
 */
final class AnswerDecoder extends HttpResponseDecoder implements AnswerReader {
    private static final int MAX_ANSWER_LINE = 8 * 1024;
    private static final int MAX_ANSWER_HEADERS = 64 * 1024;

    private static final byte[] VERSION = "HTTP/1.".getBytes(StandardCharsets.US_ASCII);
    private static final int STATUS_LINE = "HTTP/1.1 200".length();

    private boolean toHead;
    private boolean begun;
    private boolean inHead = true;
    private boolean atStatusLine = true;
    private @Nullable String malformed;

    AnswerDecoder() {
        super(new HttpDecoderConfig()
                .setMaxInitialLineLength(MAX_ANSWER_LINE)
                .setMaxHeaderSize(MAX_ANSWER_HEADERS)
                .setValidateHeaders(true)
                .setAllowDuplicateContentLengths(false));
    }

    @Override
    public void expectAnswerToHead(boolean toHead) {
        this.toHead = toHead;
        this.begun = false;
    }

    @Override
    public boolean hasBegun() {
        return begun;
    }

    @Override
    public boolean hasBytesLeft() {
        return actualReadableBytes() > 0;
    }

    @Override
    public @Nullable String malformed() {
        return malformed;
    }

    @Override
    protected boolean isContentAlwaysEmpty(HttpMessage message) {
        return toHead || super.isContentAlwaysEmpty(message);
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) throws Exception {
        begun |= in.isReadable();
        if (inHead) {
            readLines(in);
        }
        int before = out.size();
        super.decode(context, in, out);
        for (int i = before; i < out.size(); i++) {
            // The head is one message, its body others; the last of them may come with the head.
            inHead = out.get(i) instanceof LastHttpContent;
        }
        atStatusLine |= out.size() > before && inHead;
    }

    /** Looks at the complete lines up to the end of the head: the same ones that the decoder is about to take. */
    private void readLines(ByteBuf in) {
        int line = in.readerIndex();
        int end = in.indexOf(line, in.writerIndex(), (byte) '\n');
        while (end >= 0 && malformed == null) {
            int length = end - line - 1;
            if (length < 0 || in.getByte(end - 1) != '\r') {
                malformed = "a line that does not end in CR LF";
            } else if (atStatusLine) {
                atStatusLine = false;
                malformed = isStatusLine(in, line, length) ? null : "a malformed status line";
            } else if (length == 0) {
                return;
            } else {
                malformed = isField(in, line, length) ? null : "a malformed field line";
            }
            line = end + 1;
            end = in.indexOf(line, in.writerIndex(), (byte) '\n');
        }
    }

    private static boolean isStatusLine(ByteBuf in, int from, int length) {
        if (length < STATUS_LINE) {
            return false;
        }
        for (int i = 0; i < VERSION.length; i++) {
            if (in.getByte(from + i) != VERSION[i]) {
                return false;
            }
        }
        int minor = in.getByte(from + VERSION.length);
        if ((minor != '0' && minor != '1') || in.getByte(from + VERSION.length + 1) != ' ') {
            return false;
        }
        for (int i = STATUS_LINE - 3; i < STATUS_LINE; i++) {
            if (in.getByte(from + i) < '0' || in.getByte(from + i) > '9') {
                return false;
            }
        }
        // The space before an empty reason phrase is often forgotten.
        return length == STATUS_LINE
                || (in.getByte(from + STATUS_LINE) == ' ' && isText(in, from + STATUS_LINE, from + length));
    }

    private static boolean isField(ByteBuf in, int from, int length) {
        int at = from;
        int end = from + length;
        while (at < end && isNameByte(in.getByte(at))) {
            at++;
        }
        return at > from && at < end && in.getByte(at) == ':' && isText(in, at, end);
    }

    // RFC 9110 section 5.6.2.
    private static boolean isNameByte(byte b) {
        return (b >= 'a' && b <= 'z')
                || (b >= 'A' && b <= 'Z')
                || b == '-'
                || (b >= '0' && b <= '9')
                || (b > ' ' && "!#$%&'*+.^_`|~".indexOf(b) >= 0);
    }

    private static boolean isText(ByteBuf in, int from, int to) {
        for (int i = from; i < to; i++) {
            byte b = in.getByte(i);
            // Negative above 0x7f.
            if ((b >= 0 && b < ' ' && b != '\t') || b == 0x7f) {
                return false;
            }
        }
        return true;
    }
}
