// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.revocation.RevocationAnswer;
import io.sallyport.revocation.RevocationApi;
import java.security.Principal;
import java.util.List;
import java.util.Map;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextType;
import org.springframework.context.annotation.Bean;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.http.MediaType;
import org.springframework.web.reactive.function.server.RequestPredicates;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerRequest;
import org.springframework.web.reactive.function.server.ServerResponse;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** The deny-list's API in HTTP, on the management port; who may call it is {@link ManagementSecurity}'s. */
@ManagementContextConfiguration(value = ManagementContextType.CHILD, proxyBeanMethods = false)
class RevocationEndpoint {
    static final String PATH = "/actuator/sallyport/revocations";

    private static final int DEFAULT_PAGE = 100;
    private static final ParameterizedTypeReference<Map<String, Object>> JSON_OBJECT =
            new ParameterizedTypeReference<>() {};

    @Bean
    RouterFunction<ServerResponse> revocations(RevocationApi api) {
        return RouterFunctions.route()
                .GET(PATH, request -> list(api, request))
                .POST(PATH, RequestPredicates.contentType(MediaType.APPLICATION_JSON), request -> add(api, request))
                .DELETE(PATH, request -> remove(api, request))
                .build();
    }

    private static Mono<ServerResponse> list(RevocationApi api, ServerRequest request) {
        var limit = request.queryParam("limit").orElse(Integer.toString(DEFAULT_PAGE));
        var after = request.queryParam("after").orElse(null);
        try {
            return answer(api.list(after, Integer.parseInt(limit)));
        } catch (NumberFormatException e) {
            return answer(problem("The page is not valid", "limit", limit, "1 to 1000"));
        }
    }

    private static Mono<ServerResponse> add(RevocationApi api, ServerRequest request) {
        return Mono.zip(request.bodyToMono(JSON_OBJECT), actor(request))
                .flatMap(both -> Mono.fromCompletionStage(() -> api.add(both.getT1(), both.getT2())))
                .onErrorResume(
                        ResponseStatusException.class,
                        _ -> Mono.just(problem("The entry is not valid", "(body)", "(not read)", "one JSON object")))
                .defaultIfEmpty(problem("The entry is not valid", "(body)", "(absent)", "one JSON object"))
                // Off the store's own thread, which has others to serve.
                .publishOn(Schedulers.parallel())
                .flatMap(RevocationEndpoint::answer);
    }

    private static Mono<ServerResponse> remove(RevocationApi api, ServerRequest request) {
        var id = request.queryParam("id").orElse("");
        return actor(request)
                .flatMap(actor -> Mono.fromCompletionStage(() -> api.remove(id, actor)))
                .publishOn(Schedulers.parallel())
                .flatMap(RevocationEndpoint::answer);
    }

    private static Mono<String> actor(ServerRequest request) {
        return request.principal().map(Principal::getName).defaultIfEmpty("(nobody)");
    }

    private static Mono<ServerResponse> answer(RevocationAnswer answer) {
        var response = ServerResponse.status(answer.status());
        return answer.body().isEmpty()
                ? response.build()
                : response.contentType(
                                answer.isProblem() ? MediaType.APPLICATION_PROBLEM_JSON : MediaType.APPLICATION_JSON)
                        .bodyValue(answer.body());
    }

    private static RevocationAnswer problem(String detail, String member, String value, String expected) {
        return new RevocationAnswer(
                400,
                Map.of(
                        "title",
                        "Bad request",
                        "status",
                        400,
                        "detail",
                        detail,
                        "errors",
                        List.of(Map.of("member", member, "value", value, "expected", expected))));
    }
}
