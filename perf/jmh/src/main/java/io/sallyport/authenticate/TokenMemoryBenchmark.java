// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.authenticate.token.TokenDigest;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Whether a token's signature is known: its digest, and the two look-ups of one that is not. */
@State(Scope.Benchmark)
public class TokenMemoryBenchmark {
    private final TokenMemory memory = new TokenMemory(10_000, new SimpleMeterRegistry());
    private final String token = TestTokens.es256().token().issue();

    @Benchmark
    public Object digest() {
        return TokenDigest.of(token, 0);
    }

    @Benchmark
    public boolean unknown() {
        var digest = TokenDigest.of(token, 0);
        return memory.verified(digest) == null && memory.forged(digest) == null;
    }
}
