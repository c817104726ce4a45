// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.identity.FakeSubject;
import io.sallyport.pipeline.FakeRequest;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.RiskScore;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** A rule of the kind that most routes have. */
@State(Scope.Benchmark)
public class RulesBenchmark {
    private CelRules rules;
    private RequestContext context;

    @Setup
    public void compile() {
        rules = Objects.requireNonNull(CelRules.compile(
                Map.of("payers", "'payments:write' in token.scopes && path.tenant == 'acme'"),
                Map.of(),
                Set.of("tenant"),
                new Findings().at("authorize")));
        context = FakeRequest.of(HttpMethod.GET, "/v1/tenants/acme/payments")
                .pathVariables(Map.of("tenant", "acme"))
                .by(FakeSubject.alice().build())
                .context();
        context.riskScore(new RiskScore(0, List.of()));
    }

    @Benchmark
    public Object decide() {
        return rules.decide(context);
    }
}
