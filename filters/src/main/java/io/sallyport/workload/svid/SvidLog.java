// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.svid;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs what time does to the gateway's SVID: once when a quarter of its life is left, and once when it has expired. That one was received or
 * renewed is logged where it happens. For one thread.
 */
public final class SvidLog {
    private static final Logger log = LoggerFactory.getLogger(SvidLog.class);

    private static final int LAST_PART = 4;

    private final SvidSource source;
    private final InstantSource clock;
    private @Nullable Instant warnedOf;
    private @Nullable Instant expired;

    public SvidLog(SvidSource source, InstantSource clock) {
        this.source = source;
        this.clock = clock;
    }

    /** Looks at the SVID of now. */
    public void look() {
        var identity = source.current();
        if (identity == null) {
            return;
        }
        var now = clock.instant();
        var end = identity.expiresAt();
        if (identity.isExpiredAt(now)) {
            if (!end.equals(expired)) {
                expired = end;
                log.atError()
                        .addKeyValue("id", identity.id())
                        .addKeyValue("expired_at", end)
                        .log("the gateway's SVID has expired: https upstreams get no request until it is renewed");
            }
            return;
        }
        var begin = identity.chain().getFirst().getNotBefore().toInstant();
        var last = Duration.between(begin, end).dividedBy(LAST_PART);
        if (!now.isBefore(end.minus(last)) && !end.equals(warnedOf)) {
            warnedOf = end;
            log.atWarn()
                    .addKeyValue("id", identity.id())
                    .addKeyValue("expires_at", end)
                    .log("the gateway's SVID is about to expire and has not been renewed");
        }
    }
}
