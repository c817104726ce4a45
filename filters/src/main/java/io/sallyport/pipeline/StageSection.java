// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import org.jspecify.annotations.Nullable;

/** The two keys that every section of a stage has. Both are null where the file does not have them. */
public interface StageSection {
    @Nullable
    Mode mode();

    @Nullable
    FaultPolicy onUndecided();
}
