// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize;

import io.sallyport.config.Setting;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.pipeline.StageSection;
import org.jspecify.annotations.Nullable;

/**
 * The {@code stages.authorize} section: the two keys that every stage has. This one enforces and always decides; observing it
 * is a route's {@code insecure-observe}.
 */
public record AuthorizeConfig(
        @Setting("Only `enforce`: observing this stage opens a route, and is written on that route.") @Nullable
        Mode mode,

        @Setting("Not for this stage: a rule that cannot be evaluated never allows.") @Nullable
        FaultPolicy onUndecided)
        implements StageSection {}
