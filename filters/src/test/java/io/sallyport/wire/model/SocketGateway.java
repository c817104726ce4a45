// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.forward.DirectForwarder;
import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.UpstreamClient;
import io.sallyport.forward.upstream.UpstreamConnections;
import io.sallyport.gateway.GatewayForwarder;
import io.sallyport.gateway.PermitRouteMapping;
import io.sallyport.gateway.PinnedRoutingFilter;
import io.sallyport.gateway.PinnedWebHandler;
import io.sallyport.ingress.Ingress;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.wire.WireServer;
import io.sallyport.wire.answer.LocalForwarder;
import io.sallyport.wire.exchange.PermitForwarder;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.springframework.core.env.StandardEnvironment;

/** A real server with both ways forward in front of a {@link ScriptedUpstream}. */
final class SocketGateway implements AutoCloseable {
    private static final Duration LATER = Duration.ofMillis(2);

    final Runs runs = new Runs();
    private final ScriptedUpstream upstream = ScriptedUpstream.start(runs::named);
    private final UpstreamConnections connections = new UpstreamConnections(
            new FakeSvidSource(), Duration.ZERO, Duration.ZERO, InstantSource.system(), new SimpleMeterRegistry());
    private final WireServer server;

    SocketGateway() {
        var client = new UpstreamClient(connections);
        var filtered = new GatewayForwarder(new PermitRouteMapping(
                new PinnedWebHandler(new PinnedRoutingFilter(client)), new StandardEnvironment()));
        var stage = new ScriptedStage(runs, upstream.port(), verdict -> verdict.delayElement(LATER));
        server = WireServer.of(
                new Ingress(
                        new Pipeline(List.of(stage), runs),
                        new PermitForwarder(
                                new LocalForwarder(() -> new byte[0]), new DirectForwarder(client), filtered)),
                null);
    }

    int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.close();
        connections.close();
        upstream.close();
    }
}
