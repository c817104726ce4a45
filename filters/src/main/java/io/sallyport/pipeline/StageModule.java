// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A stage with the parts that belong to it: its stores and clients, its compile steps, its health. It is opened once, when the process
 * starts, and outlives every {@link Snapshot}.
 *
 * <p>A module has one {@code compile} method for the section {@code stages.<stage>}, and one for the section of a route, where the stage
 * has these.
 */
public interface StageModule extends AutoCloseable {
    /** The stage, which judges with these parts. */
    Stage stage();

    /**
     * Returns what tells the health of the parts, or null if they cannot fail. Asked for once. The supplier is called on any thread, and
     * must not block.
     */
    default @Nullable Supplier<StageHealth> health() {
        return null;
    }

    /** Closes the parts, after the last request. */
    @Override
    default void close() {}
}
