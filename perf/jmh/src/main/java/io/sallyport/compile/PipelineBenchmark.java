// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.RequestHead;
import java.io.IOException;
import java.nio.file.Files;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** From a request's head to the permit or the denial, every stage on. */
@State(Scope.Benchmark)
public class PipelineBenchmark {
    private JudgedRequests requests;
    private RequestHead permitted;
    private RequestHead noToken;
    private RequestHead forged;

    @Setup
    public void build() throws IOException {
        requests = new JudgedRequests(Files.createTempDirectory("sallyport-jmh"));
        permitted = JudgedRequests.head(JudgedRequests.goodToken());
        noToken = JudgedRequests.head(null);
        forged = JudgedRequests.head(JudgedRequests.forgedToken());
        if (!(requests.judge(permitted) instanceof Admission.Permitted)) {
            throw new IllegalStateException("the good token is refused");
        }
    }

    @Benchmark
    public Admission permitted() {
        return requests.judge(permitted);
    }

    @Benchmark
    public Admission deniedWithoutToken() {
        return requests.judge(noToken);
    }

    @Benchmark
    public Admission deniedFromMemory() {
        return requests.judge(forged);
    }
}
