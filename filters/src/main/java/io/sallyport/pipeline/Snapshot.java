// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * One generation of the configuration, compiled: immutable, built whole or not at all, swapped behind one volatile. A
 * request sees the generation that it began with to its end.
 *
 * <p>What a stage compiled for itself hangs under its name: the gateway-wide part here, the rest on each {@link Route}.
 */
public final class Snapshot {
    // Most of ten thousand routes say nothing of modes and faults.
    // Of the same class as the others, which is asked at every stage.
    private static final Map<StageName, ?> NOTHING = new EnumMap<>(StageName.class);

    private final String revision;
    private final List<Route> routes;
    private final Map<StageName, Object> settings;

    /** @param revision names the configuration's content in records and health, for example the start of its SHA-256 */
    public Snapshot(String revision, List<Route> routes, Map<StageName, Object> settings) {
        this.revision = revision;
        this.routes = List.copyOf(routes);
        this.settings = enumMap(settings);
    }

    @SuppressWarnings("unchecked") // one with nothing in it is a map of anything
    static <V> Map<StageName, V> enumMap(Map<StageName, V> map) {
        if (map.isEmpty()) {
            return (Map<StageName, V>) NOTHING;
        }
        var copy = new EnumMap<StageName, V>(StageName.class);
        copy.putAll(map);
        return copy;
    }

    public String revision() {
        return revision;
    }

    /** Every route, the built-in ones included. */
    public List<Route> routes() {
        return routes;
    }

    /**
     * What that stage compiled for the whole gateway.
     *
     * @throws IllegalStateException if it compiled nothing: the configuration loader must not have built such a snapshot
     */
    public <T> T settings(StageName stage, Class<T> type) {
        var value = settings.get(stage);
        if (value == null) {
            throw new IllegalStateException("no settings for stage %s".formatted(stage.code()));
        }
        return type.cast(value);
    }
}
