// SPDX-License-Identifier: Apache-2.0
package io.sallyport.route;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.sallyport.pipeline.UpstreamLease;
import org.jspecify.annotations.Nullable;

/** A place at an upstream. Its owner ends it once; who took it from the context is its owner. */
final class Lease implements UpstreamLease {
    /** Null from when it has been told. */
    private @Nullable CircuitBreaker breaker;

    private final @Nullable Bulkhead bulkhead;
    private final long started;

    /** Both have granted their permission before. */
    Lease(@Nullable CircuitBreaker breaker, @Nullable Bulkhead bulkhead) {
        this.breaker = breaker;
        this.bulkhead = bulkhead;
        this.started = breaker == null ? 0 : breaker.getCurrentTimestamp();
    }

    @Override
    public void answered(int status) {
        if (status >= 500) {
            failed(new ServerError());
            return;
        }
        lasting();
        complete();
    }

    @Override
    public void lasting() {
        if (breaker != null) {
            breaker.onSuccess(breaker.getCurrentTimestamp() - started, breaker.getTimestampUnit());
            breaker = null;
        }
    }

    @Override
    public void failed(Throwable cause) {
        if (breaker != null) {
            breaker.onError(breaker.getCurrentTimestamp() - started, breaker.getTimestampUnit(), cause);
        }
        complete();
    }

    @Override
    public void abandoned() {
        if (breaker != null) {
            breaker.releasePermission();
        }
        if (bulkhead != null) {
            bulkhead.releasePermission();
        }
    }

    private void complete() {
        if (bulkhead != null) {
            bulkhead.onComplete();
        }
    }

    /** Stands for an answer of 5xx, which is a failure of the upstream and no exception of ours. */
    private static final class ServerError extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private ServerError() {
            super("the upstream answered 5xx", null, false, false);
        }
    }
}
