// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.forward.identity.TokenIssuer;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.forward.upstream.UpstreamConnections;
import io.sallyport.pipeline.Permit;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Sends permitted requests to their upstreams, over connections on which the pinned identity was proven. */
public final class UpstreamClient {
    private final UpstreamConnections connections;
    private final @Nullable TokenIssuer tokens;

    /** One that signs nothing. */
    public UpstreamClient(UpstreamConnections connections) {
        this(connections, null);
    }

    /** @param tokens signs what routes tell their upstreams of callers; null if no route does */
    public UpstreamClient(UpstreamConnections connections, @Nullable TokenIssuer tokens) {
        this.connections = connections;
        this.tokens = tokens;
    }

    UpstreamConnections connections() {
        return connections;
    }

    /** What tells the upstream who called: fields that frame nothing, and that nobody else has written. */
    HttpHeaders identityOf(Permit permit, Disclosure disclosure) {
        var out =
                DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
        var refusal =
                disclosure.identity() == null ? null : disclosure.identity().write(permit.context(), out);
        if (refusal == null && disclosure.tokens() != null) {
            refusal =
                    disclosure.tokens().write(permit.context(), Objects.requireNonNull(tokens, "section signing"), out);
        }
        if (refusal != null) {
            throw new ForwardFailure(refusal, null);
        }
        return out;
    }

    /** Gets the head of an upstream's answer, or why there is none; once, on the request's event loop. */
    public interface Caller {
        /** The answer, to be written or discarded. */
        void answered(UpstreamAnswer answer);

        /** There is none. A {@link ForwardFailure}, except for what nobody foresaw. */
        void failed(ClientExchange client, Throwable why);
    }

    /**
     * A request that is sent when it {@linkplain Attempt#begin() begins}. It ends when its client {@linkplain Attempt#clientLeft() has
     * left}, which the caller says.
     *
     * @param target path and query, exactly as they are to be sent
     * @param head the fields as filters have left them; what this package owns of them is replaced
     */
    public Attempt attempt(Permit permit, ClientExchange client, String target, HttpHeaders head, Caller caller) {
        return new Attempt(this, permit, client, target, head, caller);
    }
}
