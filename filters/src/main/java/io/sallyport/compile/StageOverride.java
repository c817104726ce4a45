// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Setting;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.pipeline.StageSection;
import org.jspecify.annotations.Nullable;

/** {@code routes.<name>.stages.<stage>}: what holds for a stage on one route, over what {@code stages} says. */
public record StageOverride(
        @Setting("off, observe or enforce; as stages says when absent.") @Nullable
        Mode mode,

        @Setting("What becomes of a request that the stage cannot decide: deny or pass; as stages says when absent.")
        @Nullable
        FaultPolicy onUndecided)
        implements StageSection {}
