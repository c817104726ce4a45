// SPDX-License-Identifier: Apache-2.0
package io.sallyport.route;

import io.sallyport.config.Setting;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.pipeline.StageSection;
import org.jspecify.annotations.Nullable;

/** Section {@code stages.route}. What an upstream can take stands beside its address, in {@code routes.<name>.upstream}. */
public record RouteConfig(
        @Setting("Always enforce.") @Nullable Mode mode,

        @Setting("Not for this stage: it always decides.") @Nullable
        FaultPolicy onUndecided)
        implements StageSection {}
