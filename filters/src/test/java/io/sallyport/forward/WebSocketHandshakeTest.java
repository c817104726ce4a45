// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.decision.Reason;
import io.sallyport.pipeline.RequestHead;
import io.sallyport.pipeline.TlsConnection;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is a handshake, and what is its answer. */
class WebSocketHandshakeTest {
    // RFC 6455 section 1.3.
    private static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";
    private static final String ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    private static final WebSocketPlan PLAN =
            new WebSocketPlan(Set.of("https://app.example.org"), 1024, Duration.ofMinutes(1));

    @Test
    void what_browsers_send_is_one() {
        assertThat(refusalOf(handshake())).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"WebSocket", "WEBSOCKET"})
    void the_protocol_is_named_in_any_case(String name) {
        assertThat(refusalOf(handshake().set("Upgrade", name).set("Connection", "keep-alive, UPGRADE")))
                .isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"websocket", "h2c, websocket", "WebSocket"})
    void it_is_asked_for_by_the_name_of_the_protocol(String protocols) {
        assertThat(WebSocketHandshake.isAskedFor(new DefaultHttpHeaders().set("Upgrade", protocols)))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"h2c", "websocket2", "TLS/1.0", ""})
    void it_is_not_asked_for_by_another_name(String protocols) {
        assertThat(WebSocketHandshake.isAskedFor(new DefaultHttpHeaders().set("Upgrade", protocols)))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
                    Upgrade,               'websocket, h2c'
                    Upgrade,               'websocket/13'
                    Connection,            keep-alive
                    Connection,
                    Sec-WebSocket-Key,
                    Sec-WebSocket-Key,     ''
                    Sec-WebSocket-Key,     dGhlIHNhbXBsZSBub25jZQ
                    Sec-WebSocket-Key,     dGhlIHNhbXBsZSBub25jZR==
                    Sec-WebSocket-Key,     dGhlIHNhbXBsZSBub25j
                    Sec-WebSocket-Key,     'dGhlIHNhbXBsZSBub25jZQ== '
                    Sec-WebSocket-Key,     'dGhl HNhbXBsZSBub25jZQ=='
                    Sec-WebSocket-Key,     dGhlIHNhbXBsZSBub25jZSEhISEhISEh
                    Sec-WebSocket-Version,
                    Content-Length,        5
                    Transfer-Encoding,     chunked
                    """)
    void a_handshake_with_this_field_is_malformed(String name, @Nullable String value) {
        var head = handshake().remove(name);
        if (value != null) {
            head.set(name, value);
        }

        assertThat(refusalOf(head)).isEqualTo(Reason.FORWARD_WEBSOCKET_MALFORMED);
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
                    Upgrade,               websocket
                    Sec-WebSocket-Key,     dGhlIHNhbXBsZSBub25jZQ==
                    Sec-WebSocket-Version, 13
                    Origin,                https://app.example.org
                    """)
    void a_handshake_with_this_field_twice_is_malformed(String name, String value) {
        assertThat(refusalOf(handshake().add(name, value))).isEqualTo(Reason.FORWARD_WEBSOCKET_MALFORMED);
    }

    @Test
    void only_a_GET_of_http_1_1_is_one() {
        assertThat(WebSocketHandshake.refusalOf(new Head(HttpMethod.POST, handshake(), false), PLAN))
                .isNotNull();
        assertThat(WebSocketHandshake.refusalOf(new Head(HttpMethod.GET, handshake(), true), PLAN))
                .isNotNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"8", "14", "013", "13, 8", "", "x"})
    void another_version_is_told_which_one_is_spoken(String version) {
        assertThat(refusalOf(handshake().set("Sec-WebSocket-Version", version)))
                .isEqualTo(Reason.FORWARD_WEBSOCKET_VERSION);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://evil.example",
                "http://app.example.org",
                "https://app.example.org:8443",
                "https://app.example.org.evil.example",
                "https://APP.example.org",
                "https://app.example.org/",
                "null",
                "",
                "*"
            })
    void a_page_of_another_origin_is_refused(String origin) {
        assertThat(refusalOf(handshake().set("Origin", origin))).isEqualTo(Reason.FORWARD_WEBSOCKET_ORIGIN);
    }

    @Test
    void who_is_no_browser_sends_no_origin() {
        assertThat(refusalOf(handshake().remove("Origin"))).isNull();
    }

    @Test
    void the_upstream_gets_the_clients_handshake_whatever_filters_made_of_it() {
        var out = new DefaultHttpHeaders()
                .set("Connection", "te")
                .set("TE", "trailers")
                .set("Sec-WebSocket-Key", "another")
                .set("Sec-WebSocket-Protocol", "another")
                .set("Sec-WebSocket-Extensions", "permessage-deflate");

        WebSocketHandshake.of(handshake().set("Sec-WebSocket-Protocol", "chat, superchat"))
                .writeRequest(out);

        assertThat(out)
                .extracting(field -> field.getKey().toLowerCase(Locale.ROOT) + ": " + field.getValue())
                .containsExactlyInAnyOrder(
                        "connection: upgrade",
                        "upgrade: websocket",
                        "sec-websocket-version: 13",
                        "sec-websocket-key: " + KEY,
                        "sec-websocket-protocol: chat, superchat");
    }

    @Test
    void the_right_answer_is_the_one_that_the_standard_computes() {
        assertThat(WebSocketHandshake.of(handshake()).problemOf(answer())).isNull();
    }

    @Test
    void a_subprotocol_that_was_offered_may_be_chosen() {
        var offering = handshake().set("Sec-WebSocket-Protocol", "chat, superchat");

        assertThat(WebSocketHandshake.of(offering).problemOf(answer().set("Sec-WebSocket-Protocol", "superchat")))
                .isNull();
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
                    Upgrade,
                    Upgrade,                  h2c
                    Upgrade,                  'websocket, h2c'
                    Connection,
                    Connection,               close
                    Sec-WebSocket-Accept,
                    Sec-WebSocket-Accept,     ''
                    Sec-WebSocket-Accept,     s3pPLMBiTxaQ9kYGzzhZRbK+xOO=
                    Sec-WebSocket-Accept,     S3PPLMBITXAQ9KYGZZHZRBK+XOO=
                    Sec-WebSocket-Extensions, permessage-deflate
                    Sec-WebSocket-Protocol,   another
                    Sec-WebSocket-Protocol,   ''
                    Sec-WebSocket-Protocol,   'chat, superchat'
                    Content-Length,           0
                    Transfer-Encoding,        chunked
                    """)
    void an_answer_with_this_field_is_wrong(String name, @Nullable String value) {
        var answer = answer().remove(name);
        if (value != null) {
            answer.set(name, value);
        }

        assertThat(WebSocketHandshake.of(handshake().set("Sec-WebSocket-Protocol", "chat, superchat"))
                        .problemOf(answer))
                .isNotNull();
    }

    private record Head(HttpMethod method, HttpHeaders headers, boolean isHttp2) implements RequestHead {
        @Override
        public String target() {
            return "/";
        }

        @Override
        public InetSocketAddress peerAddress() {
            return InetSocketAddress.createUnresolved("localhost", 1);
        }

        @Override
        public @Nullable TlsConnection tls() {
            return null;
        }
    }

    private static @Nullable Reason refusalOf(HttpHeaders head) {
        var refusal = WebSocketHandshake.refusalOf(new Head(HttpMethod.GET, head, false), PLAN);
        return refusal == null ? null : refusal.reason();
    }

    private static HttpHeaders handshake() {
        return new DefaultHttpHeaders()
                .set("Upgrade", "websocket")
                .set("Connection", "Upgrade")
                .set("Sec-WebSocket-Key", KEY)
                .set("Sec-WebSocket-Version", "13")
                .set("Origin", "https://app.example.org");
    }

    private static HttpHeaders answer() {
        return new DefaultHttpHeaders()
                .set("Upgrade", "websocket")
                .set("Connection", "Upgrade")
                .set("Sec-WebSocket-Accept", ACCEPT);
    }
}
