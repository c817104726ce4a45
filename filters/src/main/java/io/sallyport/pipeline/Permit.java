// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.identity.Principal;
import java.util.UUID;

/**
 * The right to forward one request once, as it was authorized. Only {@link Pipeline} mints one, and a forwarder takes
 * nothing else: a request that went round the pipeline has none and cannot be routed.
 */
public final class Permit {
    private final RequestContext context;
    private final Route route;
    private final CanonicalPath path;
    private final Principal principal;
    private boolean redeemed;

    Permit(RequestContext context) {
        this.context = context;
        this.route = context.requireRoute();
        var canonical = context.path();
        if (canonical == null) {
            throw new IllegalStateException("no canonical path");
        }
        this.path = canonical;
        this.principal = context.principal();
    }

    /**
     * Uses the permit up.
     *
     * @throws IllegalStateException the second time
     */
    public void redeem() {
        if (redeemed) {
            throw new IllegalStateException("permit of request %s was redeemed before".formatted(requestId()));
        }
        redeemed = true;
    }

    public Route route() {
        return route;
    }

    /** The path that was authorized. */
    public CanonicalPath path() {
        return path;
    }

    /** The only path that may be forwarded: the one that was authorized, with its parameters where the route passes them. */
    public String forwardedPath() {
        var withParameters = context.pathWithParameters();
        return withParameters == null ? path.value() : withParameters;
    }

    /** The principal that was authorized. */
    public Principal principal() {
        return principal;
    }

    public UUID requestId() {
        return context.requestId();
    }

    /** The request that was permitted: its head, and where its outcome goes. */
    public RequestContext context() {
        return context;
    }
}
