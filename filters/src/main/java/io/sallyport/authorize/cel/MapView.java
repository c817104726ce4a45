// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import dev.cel.common.types.CelType;
import dev.cel.common.types.MapType;
import dev.cel.common.types.SimpleType;
import dev.cel.common.values.StructValue;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A map as rules see it, of which the evaluator reads only what a rule names. A plain {@link Map} would be walked from end to
 * end on each reference, with everything in it, to convert what needs no conversion: with twenty claims that is five times the
 * time of the whole rule.
 */
@SuppressWarnings("Immutable") // a view of what the request has; nothing here changes it
abstract class MapView extends StructValue<String, Object> implements Map<String, Object> {
    private static final CelType TYPE = MapType.create(SimpleType.STRING, SimpleType.DYN);

    /** The value of a key, or null. */
    abstract @Nullable Object lookUp(String key);

    /** Everything, for the rare rule that walks or compares a whole map. */
    abstract Map<String, Object> whole();

    @Override
    public final Object select(String key) {
        var value = lookUp(key);
        if (value == null) {
            throw UnreadableMember.missing();
        }
        return value;
    }

    // Presence, not value: has() of something that is there but may not be read must not be false.
    @Override
    public final Optional<Object> find(String key) {
        return containsKey(key) ? Optional.of(true) : Optional.empty();
    }

    @Override
    public final @Nullable Object get(@Nullable Object key) {
        return key instanceof String name ? lookUp(name) : null;
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return get(key) != null;
    }

    @Override
    public final int size() {
        return whole().size();
    }

    @Override
    public final boolean isEmpty() {
        return whole().isEmpty();
    }

    @Override
    public final boolean containsValue(@Nullable Object value) {
        return whole().containsValue(value);
    }

    @Override
    public final Set<String> keySet() {
        return whole().keySet();
    }

    @Override
    public final Collection<Object> values() {
        return whole().values();
    }

    @Override
    public final Set<Map.Entry<String, Object>> entrySet() {
        return whole().entrySet();
    }

    @Override
    public final Object value() {
        return this;
    }

    @Override
    public final boolean isZeroValue() {
        return isEmpty();
    }

    @Override
    public final CelType celType() {
        return TYPE;
    }

    @Override
    public final boolean equals(@Nullable Object other) {
        return whole().equals(other);
    }

    @Override
    public final int hashCode() {
        return whole().hashCode();
    }

    @Override
    public final @Nullable Object put(String key, Object value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public final @Nullable Object remove(@Nullable Object key) {
        throw new UnsupportedOperationException();
    }

    @Override
    public final void putAll(Map<? extends String, ?> other) {
        throw new UnsupportedOperationException();
    }

    @Override
    public final void clear() {
        throw new UnsupportedOperationException();
    }
}
