// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.edge.RouteTable;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The routes of one configuration as they are compiled, for the next one to take over those that did not change. */
public final class CompiledRoutes {
    static final CompiledRoutes NONE =
            new CompiledRoutes(new IdentityHashMap<>(), Set.of(), BuiltInRoutes.Made.NONE, null);

    // By identity:
    // it is the same object only if the file has the section in the same words, so that no equals() can err.
    private final IdentityHashMap<RouteSection, CompiledRoute> bySection;
    private final Set<String> identityNames;
    private final BuiltInRoutes.Made builtIn;
    private final @Nullable RouteTable table;

    CompiledRoutes(
            IdentityHashMap<RouteSection, CompiledRoute> bySection,
            Set<String> identityNames,
            BuiltInRoutes.Made builtIn,
            @Nullable RouteTable table) {
        this.bySection = bySection;
        this.identityNames = Set.copyOf(identityNames);
        this.builtIn = builtIn;
        this.table = table;
    }

    /** What that very section was compiled to under that name, or null if it was not. */
    @Nullable
    CompiledRoute of(String name, RouteSection section) {
        var route = bySection.get(section);
        return route != null && route.name().equals(name) ? route : null;
    }

    /** These, if they were compiled where the same names are removed from requests; else none. */
    CompiledRoutes ifRemoving(Set<String> identityNames) {
        return this.identityNames.equals(identityNames) ? this : NONE;
    }

    BuiltInRoutes.Made builtIn() {
        return builtIn;
    }

    /** Null if there was none. */
    @Nullable
    RouteTable table() {
        return table;
    }
}
