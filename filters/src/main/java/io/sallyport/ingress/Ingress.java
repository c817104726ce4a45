// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ingress;

import io.sallyport.forward.Forwarder;
import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.OutcomeListener;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Stage;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of a request, put together: stages, then a forwarder for what they permit, then a record of how it ended.
 *
 * @param pipeline judges requests, and is told how each one ended
 * @param forwarder takes permits
 */
public record Ingress(Pipeline pipeline, Forwarder forwarder) {
    private static final Logger log = LoggerFactory.getLogger(Ingress.class);

    /** The stages, in the order in which they judge. */
    static Deciding decide(Stage... stages) {
        return new Deciding(List.of(stages));
    }

    public Admission admit(RequestContext context) {
        return pipeline.admit(context);
    }

    public void conclude(RequestContext context, Outcome outcome) {
        pipeline.conclude(context, outcome);
    }

    record Deciding(List<Stage> stages) {
        Forwarding forward(Forwarder forwarder) {
            return new Forwarding(stages, forwarder);
        }
    }

    record Forwarding(List<Stage> stages, Forwarder forwarder) {
        Ingress record(OutcomeListener... listeners) {
            return new Ingress(new Pipeline(stages, all(listeners)), forwarder);
        }

        private static OutcomeListener all(OutcomeListener... listeners) {
            return (context, outcome) -> {
                for (var listener : listeners) {
                    try {
                        listener.onOutcome(context, outcome);
                    } catch (RuntimeException e) {
                        // A listener must not throw, and neither a request nor the next one is to pay for a bug of this
                        // one.
                        log.atError()
                                .addKeyValue("request_id", context.requestId())
                                .setCause(e)
                                .log("an outcome was not recorded");
                    }
                }
            };
        }
    }
}
