// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.framing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.sallyport.edge.HeadLimits;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The guard and the codec behind it read the same requests: whatever the guard lets pass, mutated at random from good and
 * from hostile requests, Netty's codec finds to be the same messages, with bodies of the same length, ending at the same
 * byte. Differences between two readers in a row are what request smuggling lives on.
 */
class FramingAgreementTest {
    private static final int ROUNDS = 15_000;

    private static final List<String> SEEDS = List.of(
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
            "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=\"b\"\r\n!\r\n0\r\nT: v\r\n\r\n",
            "PUT /p?q=1 HTTP/1.0\r\nContent-Length: 3\r\nX: y\r\n\r\nabc",
            "\r\nOPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nUpgrade: h2c\r\nExpect: 100-continue\r\n\r\n",
            "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: 1\r\nSec-WebSocket-Key3: 2\r\n\r\n",
            "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 2\r\n\r\nab");

    private static final List<String> PIECES = List.of(
            "\r\n",
            "\n",
            "\r",
            "\r\n\r\n",
            " ",
            "\t",
            ":",
            ";",
            ",",
            "\"",
            "\\",
            "0",
            "1",
            "a",
            "F",
            "\0",
            "\u000b",
            "\u0085",
            "\u00a0",
            "\u00ff",
            "0\r\n\r\n",
            "5\r\n",
            "00000003",
            ";x=y",
            ";x=\"\\\"\"",
            "Content-Length: 5\r\n",
            "Content-Length: 0\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: CHUNKED \r\n",
            "Transfer-Encoding: identity\r\n",
            "Sec-WebSocket-Key1: 1\r\nSec-WebSocket-Key2: 2\r\n",
            "Connection: close\r\n",
            "Trailer: T\r\n",
            "HTTP/1.0",
            "HEAD",
            "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");

    private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length:[ \t]*([0-9]+)");
    private static final Pattern CHUNKED = Pattern.compile("(?i)\r\ntransfer-encoding:[ \t]*chunked");

    private record Message(int bodyLength, int end) {}

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void what_passes_the_guard_is_read_by_the_codec_as_the_same_requests(long seed) {
        var random = new Random(seed);
        int accepted = 0;
        for (int round = 0; round < ROUNDS; round++) {
            var bytes = mutated(random);
            var machine = new FramingMachine(new HeadLimits(4096, 8192));
            if (machine.feed(Unpooled.wrappedBuffer(bytes.getBytes(StandardCharsets.ISO_8859_1))) == null) {
                accepted++;
                assertThat(readByCodec(bytes)).as("round %d: %s", round, bytes).isEqualTo(readHere(bytes));
            }
        }
        // Half of nothing agrees with anything.
        assertThat(accepted).isGreaterThan(ROUNDS / 20);
    }

    private static String mutated(Random random) {
        var bytes = new StringBuilder();
        for (int i = random.nextInt(3); i >= 0; i--) {
            bytes.append(SEEDS.get(random.nextInt(SEEDS.size())));
        }
        for (int i = random.nextInt(4); i >= 0; i--) {
            int at = random.nextInt(bytes.length());
            int end = Math.min(bytes.length(), at + 1 + random.nextInt(4));
            switch (random.nextInt(5)) {
                case 0 -> bytes.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                case 1 -> bytes.replace(at, end, PIECES.get(random.nextInt(PIECES.size())));
                case 2 -> bytes.delete(at, end);
                case 3 -> bytes.setCharAt(at, (char) random.nextInt(256));
                default -> bytes.insert(lineStart(bytes, at), PIECES.get(random.nextInt(PIECES.size())));
            }
        }
        return bytes.toString();
    }

    private static int lineStart(StringBuilder bytes, int at) {
        int lineEnd = bytes.lastIndexOf("\r\n", at);
        return lineEnd < 0 ? 0 : lineEnd + 2;
    }

    /** The simplest reader there is: right for what the guard accepts, and for nothing else. */
    private static List<Message> readHere(String bytes) {
        var messages = new ArrayList<Message>();
        int at = 0;
        while (at < bytes.length()) {
            int headEnd = bytes.indexOf("\r\n\r\n", bytes.startsWith("\r\n", at) ? at + 2 : at) + 4;
            if (headEnd == 3) {
                return messages;
            }
            var head = bytes.substring(at, headEnd);
            int bodyLength = 0;
            int end = headEnd;
            if (CHUNKED.matcher(head).find()) {
                int size;
                do {
                    int lineEnd = bytes.indexOf("\r\n", end);
                    if (lineEnd < 0) {
                        return messages;
                    }
                    size = Integer.parseInt(bytes.substring(end, lineEnd).split(";", 2)[0], 16);
                    bodyLength += size;
                    end = lineEnd + 2 + (size == 0 ? 0 : size + 2);
                } while (size > 0 && end <= bytes.length());
                while (end < bytes.length() && !bytes.startsWith("\r\n", end)) {
                    int lineEnd = bytes.indexOf("\r\n", end);
                    end = lineEnd < 0 ? bytes.length() : lineEnd + 2;
                }
                end += 2;
            } else {
                var length = LENGTH.matcher(head);
                bodyLength = length.find() ? (int) Math.min(Integer.MAX_VALUE / 2, Long.parseLong(length.group(1))) : 0;
                end += bodyLength;
            }
            if (end > bytes.length()) {
                return messages;
            }
            messages.add(new Message(bodyLength, end));
            at = end;
        }
        return messages;
    }

    private static List<Message> readByCodec(String bytes) {
        var channel = new EmbeddedChannel(new HttpServerCodec());
        var messages = new ArrayList<Message>();
        int bodyLength = 0;
        int requests = 0;
        // Byte by byte, so that the place where a message ends is seen.
        for (int i = 0; i < bytes.length(); i++) {
            channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {(byte) bytes.charAt(i)}));
            for (HttpObject part = channel.readInbound(); part != null; part = channel.readInbound()) {
                assertThat(part.decoderResult().isSuccess())
                        .as("%s at byte %d of %s", part.decoderResult(), i, bytes)
                        .isTrue();
                if (part instanceof HttpRequest) {
                    requests++;
                }
                if (part instanceof HttpContent content) {
                    bodyLength += content.content().readableBytes();
                }
                if (part instanceof LastHttpContent) {
                    messages.add(new Message(bodyLength, i + 1));
                    bodyLength = 0;
                    assertThat(requests).isEqualTo(messages.size());
                }
                ReferenceCountUtil.release(part);
            }
        }
        channel.finishAndReleaseAll();
        return messages;
    }
}
