// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.identity.Principal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A request that did not come over a wire: the head, and a context as far as the stage under test needs it. */
public final class FakeRequest implements RequestHead {
    public static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    public static final Route ROUTE =
            Route.builder("orders", "api.example.org", Route.Kind.UPSTREAM).build();

    private final HttpMethod method;
    private final String target;
    // Not validating: what a wire would refuse is refused there, and hostile values are the point of some tests.
    private final HttpHeaders headers =
            DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
    private String peer = "192.0.2.7";
    private boolean http2;
    private @Nullable TlsConnection tls;
    private Snapshot snapshot = new Snapshot("test", List.of(), Map.of());
    private @Nullable Route route = ROUTE;
    private Map<String, String> pathVariables = Map.of();
    private Set<HttpMethod> allowedMethods = Set.of();
    private Principal principal = Principal.Anonymous.ANONYMOUS;
    private Instant receivedAt = NOW;
    private Executor eventLoop = Runnable::run;

    private FakeRequest(HttpMethod method, String target) {
        this.method = method;
        this.target = target;
        headers.set("Host", "api.example.org");
    }

    public static FakeRequest get(String target) {
        return new FakeRequest(HttpMethod.GET, target);
    }

    public static FakeRequest of(HttpMethod method, String target) {
        return new FakeRequest(method, target);
    }

    public FakeRequest header(String name, String value) {
        headers.add(name, value);
        return this;
    }

    public FakeRequest withoutHeader(String name) {
        headers.remove(name);
        return this;
    }

    public FakeRequest host(String host) {
        headers.set("Host", host);
        return this;
    }

    public FakeRequest authorization(String value) {
        return header("Authorization", value);
    }

    /** The transport peer's address, a literal. */
    public FakeRequest from(String address) {
        this.peer = address;
        return this;
    }

    public FakeRequest overHttp2() {
        this.http2 = true;
        return this;
    }

    public FakeRequest tls(TlsConnection tls) {
        this.tls = tls;
        return this;
    }

    public FakeRequest snapshot(Snapshot snapshot) {
        this.snapshot = snapshot;
        return this;
    }

    /** The route that edge is to have matched; null if edge has not run. */
    public FakeRequest on(@Nullable Route route) {
        this.route = route;
        return this;
    }

    public FakeRequest pathVariables(Map<String, String> pathVariables) {
        this.pathVariables = pathVariables;
        return this;
    }

    /** The methods that edge is to have found on routes of this path, none of them the request's. */
    public FakeRequest allowedMethods(HttpMethod... allowedMethods) {
        this.allowedMethods = Set.of(allowedMethods);
        return this;
    }

    public FakeRequest by(Principal principal) {
        this.principal = principal;
        return this;
    }

    public FakeRequest at(Instant receivedAt) {
        this.receivedAt = receivedAt;
        return this;
    }

    public FakeRequest onEventLoop(Executor eventLoop) {
        this.eventLoop = eventLoop;
        return this;
    }

    /** A context as the stages after edge and authenticate find it. */
    public RequestContext context() {
        var context = new RequestContext(
                this, snapshot, UUID.fromString("019a0000-0000-7000-8000-000000000001"), receivedAt, 0L, eventLoop);
        if (route != null) {
            int query = target.indexOf('?');
            context.client(new ClientAddress(peerAddress().getAddress(), false));
            context.matched(
                    route,
                    new CanonicalPath(query < 0 ? target : target.substring(0, query)),
                    query < 0 ? null : target.substring(query + 1),
                    pathVariables);
            context.allowedMethods(allowedMethods);
        }
        context.principal(principal);
        return context;
    }

    @Override
    public HttpMethod method() {
        return method;
    }

    @Override
    public String target() {
        return target;
    }

    @Override
    public HttpHeaders headers() {
        return headers;
    }

    @Override
    public boolean isHttp2() {
        return http2;
    }

    @Override
    public InetSocketAddress peerAddress() {
        try {
            return new InetSocketAddress(InetAddress.getByName(peer), 40_000);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(peer, e);
        }
    }

    @Override
    public @Nullable TlsConnection tls() {
        return tls;
    }
}
