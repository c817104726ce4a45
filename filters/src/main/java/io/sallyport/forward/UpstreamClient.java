// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.forward.upstream.UpstreamConnections;
import io.sallyport.pipeline.Permit;

/** Sends permitted requests to their upstreams, over connections on which the pinned identity was proven. */
public final class UpstreamClient {
    private final UpstreamConnections connections;

    public UpstreamClient(UpstreamConnections connections) {
        this.connections = connections;
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
        return new Attempt(connections, permit, client, target, head, caller);
    }
}
