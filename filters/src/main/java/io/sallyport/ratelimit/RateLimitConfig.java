// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit;

import io.sallyport.config.Setting;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.pipeline.StageSection;
import org.jspecify.annotations.Nullable;

/** Section {@code stages.ratelimit}; the limits themselves are {@code routes.<name>.rate-limits}. */
public record RateLimitConfig(
        @Setting("off, observe or enforce; enforce when absent.") @Nullable
        Mode mode,

        @Setting("What becomes of a request whose bucket cannot be had: deny or pass; deny when absent.") @Nullable
        FaultPolicy onUndecided)
        implements StageSection {}
