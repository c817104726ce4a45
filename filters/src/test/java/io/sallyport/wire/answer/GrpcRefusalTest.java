// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.sallyport.decision.Challenge;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Reason;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class GrpcRefusalTest {
    static Stream<Arguments> statuses() {
        return Stream.of(
                Arguments.of(new Denial.Rejected(Reason.EDGE_PROTOCOL_ERROR), "13", "bad_request"),
                Arguments.of(
                        new Denial.Throttled(Reason.FLOOD_CONNECTIONS, Duration.ofSeconds(1), List.of()),
                        "8",
                        "rate_limited"),
                Arguments.of(new Denial.Rejected(Reason.EDGE_BODY_TOO_LARGE), "8", "too_large"),
                Arguments.of(
                        new Denial.Unauthenticated(
                                Reason.AUTHENTICATE_JWT_SIGNATURE_INVALID, List.of(Challenge.clientCertificate("a"))),
                        "16",
                        "unauthenticated"),
                Arguments.of(
                        new Denial.Unavailable(Reason.PIPELINE_NOT_READY, Duration.ofSeconds(1)), "14", "unavailable"),
                Arguments.of(new Denial.UpstreamFailed(Reason.FORWARD_FAILED), "14", "upstream_unavailable"),
                Arguments.of(new Denial.UpstreamFailed(Reason.FORWARD_RESPONSE_TIMEOUT), "14", "upstream_unavailable"));
    }

    @ParameterizedTest
    @MethodSource("statuses")
    void a_refusal_is_a_status_and_a_public_code(Denial denial, String status, String message) {
        var head = new DefaultHttpHeaders()
                .add("content-type", "application/problem+json")
                .add("content-length", "100")
                .add("x-request-id", "1");

        GrpcRefusal.write(denial, head);

        assertThat(head.get("grpc-status")).isEqualTo(status);
        assertThat(head.get("grpc-message")).isEqualTo(message);
        assertThat(head.get("content-type")).isEqualTo("application/grpc");
        assertThat(head.contains("content-length")).isFalse();
        assertThat(head.get("x-request-id")).isEqualTo("1");
    }

    @ParameterizedTest
    @CsvSource({
        "application/grpc, true",
        "application/grpc+proto, true",
        "application/grpc;charset=utf-8, true",
        "Application/GRPC+json, true",
        "application/grpc-web, false",
        "application/grpcx, false",
        "application/json, false",
    })
    void a_request_of_grpc_says_so_by_its_media_type(String type, boolean grpc) {
        assertThat(GrpcRefusal.isGrpc(new DefaultHttpHeaders().add("content-type", type)))
                .isEqualTo(grpc);
    }

    @Test
    void one_without_a_type_is_none() {
        assertThat(GrpcRefusal.isGrpc(new DefaultHttpHeaders())).isFalse();
    }
}
