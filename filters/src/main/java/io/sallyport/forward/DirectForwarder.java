// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.pipeline.Permit;

/** The way of a route that only forwards: the request's bytes to the upstream, the answer's bytes to the client. */
public final class DirectForwarder implements Forwarder {
    private static final UpstreamClient.Caller AS_IT_IS = new UpstreamClient.Caller() {
        @Override
        public void answered(UpstreamAnswer answer) {
            answer.write();
        }

        @Override
        public void failed(ClientExchange client, Throwable why) {
            client.fail(why);
        }
    };

    private final UpstreamClient upstreams;

    public DirectForwarder(UpstreamClient upstreams) {
        this.upstreams = upstreams;
    }

    @Override
    public void forward(Permit permit, ClientExchange client) {
        permit.redeem();
        var attempt = upstreams.attempt(
                permit, client, targetOf(permit), permit.context().head().headers(), AS_IT_IS);
        client.onLeave(attempt);
        attempt.begin();
    }

    /** Path and query in the form that was authorized. */
    private static String targetOf(Permit permit) {
        var query = permit.context().query();
        var path = permit.forwardedPath();
        return query == null ? path : path + '?' + query;
    }
}
