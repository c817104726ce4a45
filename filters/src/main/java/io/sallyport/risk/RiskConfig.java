// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.sallyport.config.Setting;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.pipeline.StageSection;
import org.jspecify.annotations.Nullable;

/** Section {@code stages.risk}; what a score leads to is {@code routes.<name>.risk}. */
public record RiskConfig(
        @Setting("off, observe or enforce; enforce when absent.") @Nullable
        Mode mode,

        @Setting("What becomes of a request whose score cannot be computed: deny or pass; deny when absent.") @Nullable
        FaultPolicy onUndecided,

        @Setting(
                value =
                        "The signals that the score is made of; one that is not declared does not run. The score is the sum"
                                + " of what they contribute, at most 100.",
                byDefault = "{}")
        SignalsConfig signals)
        implements StageSection {}
