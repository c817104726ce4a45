// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.sallyport.wire.model.Packet.Wait;
import io.sallyport.wire.model.Request.Upgrade;
import io.sallyport.wire.model.Sequence.Leaving;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Sequences that went wrong once, by name. */
final class FailedSequences {
    private static final int A_MOMENT = 30;

    private FailedSequences() {}

    static Stream<Arguments> all() {
        var cases = new ArrayList<Arguments>();
        for (var p : List.of("POST", "filters")) {
            for (int n : new int[] {401, 403, 404, 204}) {
                cases.add(Arguments.of(
                        p + " and a " + n + " in one packet, a third a moment later",
                        Sequence.of(permitted(p), refused(n), permitted(p).after(A_MOMENT))));
                cases.add(Arguments.of(
                        p + " and a " + n + " in one packet, a plain GET a moment later",
                        Sequence.of(permitted(p), refused(n), Request.get().after(A_MOMENT))));
            }
            cases.add(Arguments.of(
                    p + ", 401, " + p + " and a malformed request line in one packet",
                    Sequence.of(permitted(p), refused(401), permitted(p), malformed())));
            cases.add(Arguments.of("129 " + p + " in one packet", Sequence.of(times(129, p))));
        }
        cases.add(Arguments.of("1,500 plain GET in one packet", Sequence.of(times(1_500, "GET"))));
        cases.add(
                Arguments.of("GET and a WebSocket in one packet", Sequence.of(permitted("GET"), Request.webSocket())));
        cases.add(Arguments.of(
                "an upgrade that is ignored, then a WebSocket",
                Sequence.of(Request.get().asking(Upgrade.OTHER), Request.webSocket())));
        cases.add(Arguments.of(
                "half a head, then the client closes",
                Sequence.of(permitted("GET").cut(0.5, new Wait.Pause(0))).leaving(Leaving.CLOSE, 1)));
        cases.add(Arguments.of(
                "POST and a large POST through filters in one packet",
                Sequence.of(
                        Request.post(36_365).throughFilters(),
                        Request.post(373).expecting(),
                        Request.chunked(68_462).throughFilters())));
        cases.add(Arguments.of(
                "a large answer up to the end, before the body that its upstream never reads",
                new Sequence(
                        List.of(Request.post(25)
                                .script(Script.ok()
                                        .body(213_992, Script.Framing.UNTIL_CLOSE)
                                        .early(true))),
                        Sequence.Reading.SLOWLY,
                        Leaving.NEVER,
                        0)));
        return cases.stream();
    }

    private static Request permitted(String kind) {
        return switch (kind) {
            case "POST" -> Request.post(5);
            case "filters" -> Request.get().throughFilters();
            default -> Request.get();
        };
    }

    private static Request refused(int status) {
        return status == 204 ? Request.preflight() : Request.get().refused(status);
    }

    private static Request malformed() {
        return Request.nonsense("GET  bad\r\n\r\n", 400);
    }

    private static Request[] times(int number, String kind) {
        return Stream.generate(() -> permitted(kind)).limit(number).toArray(Request[]::new);
    }
}
