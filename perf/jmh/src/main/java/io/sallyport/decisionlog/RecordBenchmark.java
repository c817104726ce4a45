// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.Outcome;
import io.sallyport.pipeline.RequestContext;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** A denial's record: what the event loop does for it, and what the writer's thread does. */
@State(Scope.Benchmark)
public class RecordBenchmark {
    private final Outcome refused = new Outcome.Refused(new Denial.Rejected(Reason.EDGE_PATH_AMBIGUOUS));
    private final RequestContext context =
            FakeRequest.of(HttpMethod.GET, "/v1/tenants/acme/payments").context();
    private final DecisionRecord record = DecisionRecord.ofOutcome(context, refused, 1_000);
    private final EcsLine line = new EcsLine(Pseudonyms.open(null), "1.0.0");

    @Benchmark
    public Object record() {
        return DecisionRecord.ofOutcome(context, refused, 1_000);
    }

    @Benchmark
    public byte[] line() {
        return line.write(record);
    }
}
