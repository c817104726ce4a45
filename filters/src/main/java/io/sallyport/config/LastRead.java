// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The values that were read last, so that what is written in the same words is one object: thousands of routes have a few
 * hundred upstreams, and live as long as the configuration. What a value's findings were is not kept.
 */
final class LastRead {
    /** Several for each of the last hundred entries, as many as are likely to be alike. */
    private static final int MOST = 1024;

    private record Written(YamlNode node, ValueType type) {
        @Override
        @SuppressWarnings("ReferenceEquality") // there is one type for each key
        public boolean equals(Object other) {
            return other instanceof Written that && type == that.type && node.equals(that.node);
        }

        @Override
        public int hashCode() {
            return 31 * System.identityHashCode(type) + node.hashCode();
        }
    }

    private final Map<Written, Object> values = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Written, Object> eldest) {
            return size() > MOST;
        }
    };

    @Nullable
    Object get(YamlNode node, ValueType type) {
        return values.get(new Written(node, type));
    }

    void put(YamlNode node, ValueType type, Object value) {
        values.put(new Written(node, type), value);
    }
}
