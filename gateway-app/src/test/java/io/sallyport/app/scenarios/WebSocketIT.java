// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sallyport.app.scenarios.StreamingWorld.Way;
import io.sallyport.decision.Reason;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A WebSocket through the gateway, between the JDK's client and Reactor Netty's server. On both ways forward. */
@ParameterizedClass
@EnumSource(Way.class)
class WebSocketIT {
    @RegisterExtension
    static final StreamingWorld world = new StreamingWorld();

    private static final String RAW_HANDSHAKE = """
            GET %s HTTP/1.1
            Host: localhost
            Authorization: Bearer %s
            Upgrade: websocket
            Connection: Upgrade
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            Sec-WebSocket-Version: 13

            """.replace("\n", "\r\n");

    @Parameter
    Way way;

    @Test
    void text_binary_and_large_messages_come_back_as_they_were_sent() throws Exception {
        var heard = new Heard();
        var socket = open("/socket/echo", world.token(), heard);

        socket.sendText("grüße", true).join();
        assertThat(heard.next()).isEqualTo("text grüße");
        socket.sendText("a", false).join();
        socket.sendPing(ByteBuffer.wrap("are you there".getBytes(UTF_8))).join();
        socket.sendText("b", true).join();
        assertThat(heard.next()).isEqualTo("pong are you there");
        assertThat(heard.next()).isEqualTo("text ab");
        socket.sendBinary(ByteBuffer.wrap(new byte[900_000]), true).join();
        assertThat(heard.next()).isEqualTo("binary 900000");
        socket.sendClose(1000, "bye").join();
        assertThat(heard.next()).startsWith("close 1000");
        world.upstream().awaitOneLeft();
    }

    @Test
    void a_subprotocol_that_both_sides_know_is_agreed_on() throws Exception {
        var heard = new Heard();
        var socket = world.http()
                .newWebSocketBuilder()
                .header("Authorization", "Bearer " + world.token())
                .subprotocols("other", "chat")
                .buildAsync(world.webSocket(way, "/socket/chat"), heard)
                .join();

        assertThat(socket.getSubprotocol()).isEqualTo("chat");
        socket.abort();
        world.upstream().awaitOneLeft();
    }

    @Test
    void a_page_that_is_listed_may_open_one_and_another_may_not() throws Exception {
        var heard = new Heard();
        builder(world.token())
                .header("Origin", StreamingWorld.ORIGIN)
                .buildAsync(world.webSocket(way, "/socket/close"), heard)
                .join();
        assertThat(heard.next()).isEqualTo("close 4321 enough");

        var refused = refused(() -> builder(world.token())
                .header("Origin", "https://evil.example")
                .buildAsync(world.webSocket(way, "/socket/close"), heard)
                .join());

        assertThat(refused.statusCode()).isEqualTo(403);
        assertThat(reasonOf(refused)).isEqualTo(Reason.FORWARD_WEBSOCKET_ORIGIN.code());
    }

    @Test
    void a_stranger_gets_401() throws Exception {
        var refused = refused(() -> world.http()
                .newWebSocketBuilder()
                .buildAsync(world.webSocket(way, "/socket/echo"), new Heard())
                .join());

        assertThat(refused.statusCode()).isEqualTo(401);
        assertThat(reasonOf(refused)).isEqualTo(Reason.AUTHENTICATE_JWT_MISSING.code());
    }

    @Test
    void an_impostor_gets_not_one_byte() throws Exception {
        var before = world.parts().impostor().bytesReceived();

        var refused = refused(() -> open("/impostor", world.token(), new Heard()));

        assertThat(refused.statusCode()).isEqualTo(502);
        assertThat(reasonOf(refused)).isEqualTo(Reason.FORWARD_IDENTITY_MISMATCH.code());
        assertThat(world.parts().impostor().bytesReceived()).isEqualTo(before);
    }

    @Test
    void an_upstreams_refusal_is_its_own() throws Exception {
        var refused = refused(() -> open("/socket/refuse", world.token(), new Heard()));

        assertThat(refused.statusCode()).isEqualTo(403);
        assertThat(refused.headers().firstValue("Content-Type")).isEmpty();
    }

    @Test
    void it_is_closed_with_1008_when_the_token_expires() throws Exception {
        var heard = new Heard();
        open("/socket/echo", world.tokenFor(Duration.ofSeconds(3)), heard);

        assertThat(heard.next()).startsWith("close 1008");
        world.upstream().awaitOneLeft();
    }

    @Test
    void the_listeners_timeouts_do_not_end_one_that_is_silent_for_longer() throws Exception {
        var heard = new Heard();
        open("/socket/slow", world.token(), heard);

        assertThat(heard.next()).isEqualTo("text late");
    }

    @Test
    void an_upstream_that_vanishes_takes_the_client_along_and_that_is_recorded() throws Exception {
        try (var client = world.connect()) {
            var answer = client.write(RAW_HANDSHAKE.formatted(way.path("/socket/vanish"), world.token()))
                    .readHead();
            assertThat(answer.status()).isEqualTo(101);
            assertThat(answer.field("Connection")).isEqualToIgnoringCase("upgrade");

            // "hi", masked with zeros.
            client.write(new byte[] {(byte) 0x81, (byte) 0x82, 0, 0, 0, 0, 'h', 'i'});

            assertThat(client.isClosedByPeer()).isTrue();
            var record = world.recordOf(answer.field("X-Request-ID"));
            assertThat(record.field("event.reason")).isEqualTo(Reason.FORWARD_UPSTREAM_RESET.code());
            assertThat(record.json().at("/http/response/status_code").asInt()).isEqualTo(101);
        }
    }

    @Test
    void a_client_that_vanishes_takes_the_upstreams_connection_along() throws Exception {
        try (var client = world.connect()) {
            client.write(RAW_HANDSHAKE.formatted(way.path("/socket/echo"), world.token()))
                    .readHead();
            client.reset();
        }

        world.upstream().awaitOneLeft();
    }

    @Test
    void a_client_that_sends_what_is_no_frame_is_told_so_and_recorded() throws Exception {
        try (var client = world.connect()) {
            var answer = client.write(RAW_HANDSHAKE.formatted(way.path("/socket/echo"), world.token()))
                    .readHead();

            // Not masked.
            client.write(new byte[] {(byte) 0x81, 0x02, 'h', 'i'});

            var close = client.in().readNBytes(4);
            assertThat(close[0]).isEqualTo((byte) 0x88);
            assertThat(ByteBuffer.wrap(close, 2, 2).getShort()).isEqualTo((short) 1002);
            assertThat(world.recordOf(answer.field("X-Request-ID")).field("event.reason"))
                    .isEqualTo(Reason.FORWARD_WEBSOCKET_FRAME.code());
        }
        world.upstream().awaitOneLeft();
    }

    @Test
    void it_is_closed_with_1001_when_the_gateway_stops() throws Exception {
        var heard = new Heard();
        open("/socket/echo", world.token(), heard);

        world.stop();
        try {
            assertThat(heard.next()).startsWith("close 1001");
            world.upstream().awaitOneLeft();
        } finally {
            world.start();
        }
    }

    private WebSocket open(String path, String token, Heard heard) {
        return builder(token).buildAsync(world.webSocket(way, path), heard).join();
    }

    private static WebSocket.Builder builder(String token) {
        return world.http().newWebSocketBuilder().header("Authorization", "Bearer " + token);
    }

    private static String reasonOf(HttpResponse<?> refused) throws Exception {
        return world.recordOf(refused.headers().firstValue("X-Request-ID").orElseThrow())
                .field("event.reason");
    }

    private interface Opening {
        void open() throws Exception;
    }

    private static HttpResponse<?> refused(Opening opening) {
        var response = new HttpResponse<?>[1];
        assertThatThrownBy(opening::open)
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        WebSocketHandshakeException.class, refusal -> response[0] = refusal.getResponse());
        return response[0];
    }

    /** What a client has heard, message by message. */
    private static final class Heard implements WebSocket.Listener {
        private final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
        private final StringBuilder text = new StringBuilder();
        private int bytes;

        String next() throws InterruptedException {
            var message = messages.poll(20, TimeUnit.SECONDS);
            if (message == null) {
                throw new AssertionError("nothing heard");
            }
            return message;
        }

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                messages.add("text " + text);
                text.setLength(0);
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
            bytes += data.remaining();
            if (last) {
                messages.add("binary " + bytes);
                bytes = 0;
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onPong(WebSocket socket, ByteBuffer message) {
            messages.add("pong " + UTF_8.decode(message));
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int statusCode, String reason) {
            messages.add("close " + statusCode + " " + reason);
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            messages.add("error " + error);
        }
    }
}
