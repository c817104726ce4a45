// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.TcpClient;

/** What requests that find no connection do to an upstream that is slow to make one. */
class UpstreamPoolTest {
    private static final int AT_A_TIME = 16;
    private static final Duration IDLE = Duration.ofSeconds(4);

    private final LoopResources loops = LoopResources.create("pool-test", 1, true);
    private final List<Socket> accepted = new ArrayList<>();
    private final BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();

    /** Whether nobody waits any more for what was asked for. */
    private final AtomicBoolean gone = new AtomicBoolean();

    @AfterEach
    void stop() throws Exception {
        for (var socket : accepted) {
            socket.close();
        }
        loops.disposeLater(Duration.ZERO, Duration.ofSeconds(5)).block();
    }

    @Test
    void so_many_handshakes_are_under_way_at_a_time_and_the_next_begins_when_one_has_ended() throws Exception {
        try (var upstream = new ServerSocket(0, 100, InetAddress.getLoopbackAddress())) {
            ask(50, upstream, Duration.ofSeconds(30));
            for (int i = 0; i < AT_A_TIME; i++) {
                accepted.add(upstream.accept());
            }
            upstream.setSoTimeout(200);
            assertThatThrownBy(upstream::accept).isInstanceOf(SocketTimeoutException.class);

            upstream.setSoTimeout(10_000);
            accepted.removeFirst().close();
            accepted.add(upstream.accept());
            assertThat(failures).hasSize(1);
        }
    }

    @Test
    void who_has_waited_for_a_turn_longer_than_connecting_may_take_fails_as_if_that_had() throws Exception {
        try (var upstream = new ServerSocket(0, 100, InetAddress.getLoopbackAddress())) {
            ask(AT_A_TIME + 1, upstream, Duration.ZERO);
            accepted.add(upstream.accept());
            accepted.removeFirst().close();

            var first = failures.poll(10, TimeUnit.SECONDS);
            var second = failures.poll(10, TimeUnit.SECONDS);
            assertThat(first).isNotInstanceOf(ConnectTimeoutException.class);
            assertThat(second).isInstanceOf(ConnectTimeoutException.class);
        }
    }

    @Test
    void no_handshake_is_begun_for_who_does_not_wait_any_more() throws Exception {
        try (var upstream = new ServerSocket(0, 100, InetAddress.getLoopbackAddress())) {
            ask(2 * AT_A_TIME, upstream, Duration.ofSeconds(30));
            for (int i = 0; i < AT_A_TIME; i++) {
                accepted.add(upstream.accept());
            }
            gone.set(true);
            accepted.removeFirst().close();
            assertThat(failures.poll(10, TimeUnit.SECONDS)).isNotNull();

            upstream.setSoTimeout(200);
            assertThatThrownBy(upstream::accept).isInstanceOf(SocketTimeoutException.class);
        }
    }

    @Test
    void who_waits_is_sent_elsewhere_at_once_when_the_identity_has_changed() throws Exception {
        try (var upstream = new ServerSocket(0, 100, InetAddress.getLoopbackAddress())) {
            var pool = ask(AT_A_TIME + 2, upstream, Duration.ofSeconds(30));

            loops.onClient(true).next().submit(pool::retire).sync();

            assertThat(failures).hasSize(2).allMatch(failure -> failure instanceof PoolRetired);
        }
    }

    @Test
    void and_who_loses_its_handshake_by_that_too() throws Exception {
        try (var upstream = new ServerSocket(0, 100, InetAddress.getLoopbackAddress())) {
            var pool = ask(1, upstream, Duration.ofSeconds(30));

            loops.onClient(true).next().submit(pool::retire).sync();
            upstream.accept().close();

            assertThat(failures.poll(10, TimeUnit.SECONDS)).isInstanceOf(PoolRetired.class);
        }
    }

    @Test
    void a_connection_is_made_when_the_events_that_came_together_have_been_dealt_with() throws Exception {
        try (var upstream = new ServerSocket(0, 100, InetAddress.getLoopbackAddress())) {
            var made = new AtomicBoolean();
            var eventLoop = loops.onClient(true).next();
            var client = TcpClient.create(ConnectionProvider.newConnection())
                    .remoteAddress(
                            () -> new InetSocketAddress(InetAddress.getLoopbackAddress(), upstream.getLocalPort()))
                    .runOn((LoopResources) _ -> eventLoop)
                    .doOnChannelInit((_, _, _) -> made.set(true));
            var pool = new Http1Pool(client, eventLoop, Duration.ofSeconds(30), IDLE);

            boolean atOnce = eventLoop
                    .submit(() -> {
                        pool.acquire(_ -> {}, failures::add, gone::get, false);
                        return made.get();
                    })
                    .get();

            assertThat(atOnce).isFalse();
            accepted.add(upstream.accept());
            assertThat(made).isTrue();
        }
    }

    private UpstreamPool ask(int requests, ServerSocket upstream, Duration longestWait) throws Exception {
        var eventLoop = loops.onClient(true).next();
        var tls = SslContextBuilder.forClient()
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .build();
        var client = TcpClient.create(ConnectionProvider.newConnection())
                .remoteAddress(() -> new InetSocketAddress(InetAddress.getLoopbackAddress(), upstream.getLocalPort()))
                .runOn((LoopResources) _ -> eventLoop)
                .secure(spec -> spec.sslContext(tls))
                .doOnChannelInit((_, channel, _) -> UpstreamConnection.install(channel.pipeline()));
        var pool = new Http1Pool(client, eventLoop, longestWait, IDLE);
        eventLoop
                .submit(() -> {
                    for (int i = 0; i < requests; i++) {
                        pool.acquire(_ -> {}, failures::add, gone::get, false);
                    }
                })
                .sync();
        return pool;
    }
}
