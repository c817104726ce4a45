// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.exchange;

import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.pipeline.RequestContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns what nobody foresaw into a denial, in one place: a bug is still answered, recorded and logged. */
final class Unforeseen extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private static final Logger log = LoggerFactory.getLogger(IngressHandler.class);
    private static final Denial FAILED = new Denial.UpstreamFailed(Reason.FORWARD_FAILED);

    // The class and the stack of the original, without its message: that may quote a header or a query.
    private Unforeseen(Throwable original) {
        super(original.getClass().getName(), null, false, true);
        setStackTrace(original.getStackTrace());
    }

    /** The failure itself if it carries a denial; else one with {@code forward.failed}, logged and noted as evidence. */
    static ForwardFailure failure(Throwable error, RequestContext context) {
        if (error instanceof ForwardFailure failure) {
            return failure;
        }
        log.atError()
                .addKeyValue("request_id", context.requestId())
                .setCause(new Unforeseen(error))
                .log("a request failed in an unforeseen way; it is denied");
        return new ForwardFailure(
                FAILED.with(Evidence.Key.CAUSE, error.getClass().getName()), error);
    }
}
