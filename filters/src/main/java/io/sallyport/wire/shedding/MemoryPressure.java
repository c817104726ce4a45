// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.shedding;

import io.netty.util.internal.PlatformDependent;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.util.List;

/**
 * How full the memory is that nothing can free: the heap as the last collection left it, since what is in use between collections
 * is mostly garbage, and Netty's buffers outside of it.
 */
final class MemoryPressure {
    private final List<MemoryPoolMXBean> pools = ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP && pool.getCollectionUsage() != null)
            .toList();

    /** In percent of what there may be at most. */
    int percent() {
        return (int) (100 * Math.max(heap(), buffers()));
    }

    private double heap() {
        long used = 0;
        for (var pool : pools) {
            used += pool.getCollectionUsage().getUsed();
        }
        return (double) used / Runtime.getRuntime().maxMemory();
    }

    private static double buffers() {
        // -1 where Netty leaves the counting to the JDK, which then enforces the limit as well.
        long used = PlatformDependent.usedDirectMemory();
        return used < 0 ? 0 : (double) used / PlatformDependent.maxDirectMemory();
    }
}
