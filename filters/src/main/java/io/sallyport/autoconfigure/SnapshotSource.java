// SPDX-License-Identifier: Apache-2.0
package io.sallyport.autoconfigure;

import io.sallyport.pipeline.Snapshot;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The configuration in force: the one volatile that is swapped on a reload. A request reads it once. */
final class SnapshotSource implements Supplier<@Nullable Snapshot> {
    private volatile Generation current;

    SnapshotSource(Generation first) {
        this.current = first;
    }

    @Override
    public Snapshot get() {
        return current.snapshot();
    }

    Generation generation() {
        return current;
    }

    void swap(Generation next) {
        current = next;
    }
}
