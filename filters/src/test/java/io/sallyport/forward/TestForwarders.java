// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.sallyport.pipeline.Permit;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** Forwarders that need no upstream. */
public final class TestForwarders {
    private TestForwarders() {}

    /** Answers every request with that text, at once. */
    public static Forwarder answering(String text) {
        return (permit, client) -> {
            permit.redeem();
            answer(client, text);
        };
    }

    /** Answers every request with that text, after a while. */
    public static Forwarder answeringAfter(Duration delay, String text) {
        return after(delay, answering(text));
    }

    /** Leaves every request to another forwarder, after a while. */
    public static Forwarder after(Duration delay, Forwarder then) {
        return (permit, client) -> {
            var _ = client.eventLoop()
                    .schedule(() -> then.forward(permit, client), delay.toMillis(), TimeUnit.MILLISECONDS);
        };
    }

    /** Answers with what the body gives, as it comes. */
    public static Forwarder streaming(int status, TestBody body) {
        return (permit, client) -> {
            permit.redeem();
            client.onLeave(body::discard);
            client.answer(HttpResponseStatus.valueOf(status), head(), body);
        };
    }

    /** Never answers. */
    public static Forwarder never(Runnable forwarding, ClientExchange.Leave leave) {
        return (_, client) -> {
            client.onLeave(leave);
            forwarding.run();
        };
    }

    /** Reads the whole body, and gives it as text to somebody. */
    public static Forwarder reading(BiConsumer<ClientExchange, String> whole) {
        return (permit, client) -> read(permit, client, whole);
    }

    /** Answers with the request's own body when all of it has been read. */
    public static Forwarder echoing() {
        return reading(TestForwarders::answer);
    }

    private static void read(Permit permit, ClientExchange client, BiConsumer<ClientExchange, String> whole) {
        permit.redeem();
        var text = new StringBuilder();
        client.body().take(new Body.Taker() {
            @Override
            public void part(ByteBuf content) {
                text.append(content.toString(StandardCharsets.UTF_8));
                content.release();
            }

            @Override
            public void pause() {}

            @Override
            public void end(HttpHeaders trailers) {
                whole.accept(client, text.toString());
            }

            @Override
            public void failed(Throwable why) {}
        });
    }

    /** Answers 200 with a text. */
    public static void answer(ClientExchange client, String text) {
        client.answer(HttpResponseStatus.OK, head(), Body.of(text.getBytes(StandardCharsets.UTF_8)));
    }

    public static HttpHeaders head() {
        return DefaultHttpHeadersFactory.headersFactory().newHeaders();
    }
}
