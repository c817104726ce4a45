// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.pipeline.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Which route a canonical path names, among few and among many. */
@State(Scope.Benchmark)
public class RoutesBenchmark {
    private static final String HOST = "api.example.org";

    @Param({"10", "10000"})
    public int routes;

    private RouteTable table;
    private String path;

    @Setup
    public void compile() {
        var entries = new ArrayList<RouteTable.Entry>();
        for (int i = 0; i < routes; i++) {
            entries.add(new RouteTable.Entry(
                    Route.builder("route-" + i, HOST, Route.Kind.UPSTREAM).build(),
                    PathPattern.parse("/v1/service-" + i + "/{tenant}/payments/**"),
                    Set.of(HttpMethod.GET)));
        }
        var unmatched =
                Route.builder("sallyport:unmatched", HOST, Route.Kind.UNMATCHED).build();
        table = Objects.requireNonNull(RouteTable.compile(entries, List.of(unmatched), new Findings().at("routes")));
        path = "/v1/service-" + routes / 2 + "/acme/payments/42";
    }

    @Benchmark
    public RouteTable.Match find() {
        return table.host(HOST).find(path, HttpMethod.GET);
    }
}
