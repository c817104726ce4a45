// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Reads a path: as it usually is, with an escape that stays, and one that is refused. */
@State(Scope.Benchmark)
public class CanonicalPathBenchmark {
    @Param({"/v1/tenants/acme/payments/42", "/v1/tenants/caf%C3%A9/payments/42", "/v1/tenants/acme/%2e%2e/payments"})
    public String path;

    @Benchmark
    public Object read() {
        return CanonicalPaths.read(path, 0, path.length());
    }
}
