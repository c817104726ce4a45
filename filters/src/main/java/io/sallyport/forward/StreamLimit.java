// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.identity.Principal;
import io.sallyport.pipeline.RequestContext;
import java.time.Duration;
import java.time.Instant;

/**
 * How long one exchange may last, however much is still flowing: what was decided for a caller holds no longer than what the
 * caller proved it with.
 *
 * @param longest for any caller
 * @param clockSkew by how much a credential may be overdue, as when it was verified
 */
public record StreamLimit(Duration longest, Duration clockSkew) {

    /** For the caller of this request, from when it was received; never negative. */
    Duration of(RequestContext context) {
        return switch (context.principal()) {
            case Principal.Anonymous _ -> longest;
            case Principal.Workload workload -> until(workload.expiresAt(), context);
            case Principal.Subject subject -> until(subject.expiresAt(), context);
        };
    }

    private Duration until(Instant expiresAt, RequestContext context) {
        long left = expiresAt.getEpochSecond() - context.receivedAt().getEpochSecond() + clockSkew.toSeconds();
        return left >= longest.toSeconds() ? longest : Duration.ofSeconds(Math.max(0, left));
    }
}
