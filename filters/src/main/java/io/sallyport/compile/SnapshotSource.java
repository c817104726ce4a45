// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.pipeline.Snapshot;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The configuration in force: the one volatile that is swapped on a reload. A request reads it once. */
public final class SnapshotSource implements Supplier<@Nullable Snapshot> {
    private volatile Generation current;

    public SnapshotSource(Generation first) {
        this.current = first;
    }

    @Override
    public Snapshot get() {
        return current.snapshot();
    }

    public Generation generation() {
        return current;
    }

    void swap(Generation next) {
        current = next;
    }
}
