// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.svid;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.forward.FakeSvidSource;
import io.sallyport.forward.TestCa;
import io.sallyport.telemetry.Logged;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** What an operator reads of the gateway's own SVID. */
final class SvidLogTest {
    private static final Instant BEGIN = Instant.parse("2026-11-22T12:00:00Z");
    private static final TestCa CA = TestCa.of("example.org");

    private Instant now = BEGIN;

    @Test
    void each_svid_is_about_to_expire_once_and_expires_once() {
        var source = new FakeSvidSource();
        var svid = CA.issue(new TestCa.Leaf()
                .uris("spiffe://example.org/gateway")
                .validFrom(BEGIN)
                .validUntil(BEGIN.plusSeconds(3600)));
        source.hold(svid, CA.bundle());
        var log = new SvidLog(source, () -> now);
        try (var logged = Logged.of(SvidLog.class)) {
            for (long second : new long[] {0, 2699, 2700, 3000, 3599, 3600, 3700}) {
                now = BEGIN.plusSeconds(second);
                log.look();
            }

            assertThat(logged.lines())
                    .containsExactly(
                            "WARN the gateway's SVID is about to expire and has not been renewed",
                            "ERROR the gateway's SVID has expired: https upstreams get no request until it is renewed");
        }
    }

    @Test
    void that_it_was_received_and_renewed_is_said_and_that_an_expired_one_was_not_taken() {
        var current = new CurrentIdentity(() -> now);
        var first = CA.issue("/gateway");
        var next = CA.issue("/gateway");
        var late =
                CA.issue(new TestCa.Leaf().uris("spiffe://example.org/gateway").validUntil(BEGIN.minusSeconds(1)));
        try (var logged = Logged.of(CurrentIdentity.class)) {
            for (var svid : new TestCa.Svid[] {first, first, next, late, late}) {
                var identity = svid.identity(CA.bundle(), 1);
                current.replace(identity.id(), svid.chain(), svid.key(), CA.bundle());
            }

            assertThat(logged.lines())
                    .containsExactly(
                            "INFO the gateway has its SVID",
                            "INFO the gateway's SVID was renewed",
                            "ERROR an SVID that has expired was delivered; the one in use stays");
        }
    }
}
