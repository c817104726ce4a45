// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import io.github.bucket4j.TimeMeter;
import java.time.Duration;

/** A monotonic clock that stands still until it is told. */
final class FakeTime implements TimeMeter {
    private long nanos = Duration.ofDays(1).toNanos();

    void pass(Duration duration) {
        nanos += duration.toNanos();
    }

    @Override
    public long currentTimeNanos() {
        return nanos;
    }

    @Override
    public boolean isWallClockBased() {
        return false;
    }
}
