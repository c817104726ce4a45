// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.pipeline.Snapshot;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The configuration in force: the one volatile that is swapped on a reload. A request reads it once. */
public final class SnapshotSource implements Supplier<@Nullable Snapshot> {
    private volatile CompiledConfiguration current;

    public SnapshotSource(CompiledConfiguration first) {
        this.current = first;
    }

    @Override
    public Snapshot get() {
        return current.snapshot();
    }

    public CompiledConfiguration inForce() {
        return current;
    }

    void swap(CompiledConfiguration next) {
        current = next;
    }
}
