// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one section, read once from its record. The binder, the schema and the reference go by nothing else, so they
 * cannot disagree.
 *
 * @param names of the keys, in their order
 * @param constructor the record's own
 */
record SectionShape(
        Class<? extends Record> type, List<Key> keys, List<String> names, Constructor<? extends Record> constructor) {
    private static final Map<Class<?>, SectionShape> SHAPES = new ConcurrentHashMap<>();

    /**
     * One key of a section.
     *
     * @param byDefault what is read when the key is absent; null for none
     * @param required whether its absence is a finding
     * @param nullable whether the section can be made without it
     */
    record Key(
            String name,
            String description,
            ValueType type,
            @Nullable Default byDefault,
            boolean required,
            boolean nullable) {}

    /**
     * What a {@link Setting#byDefault()} writes.
     *
     * @param yaml as it stands there
     */
    record Default(String yaml, YamlNode value) {
        private Default(String yaml) {
            this(yaml, YamlDocument.parseDefault(yaml));
        }
    }

    private SectionShape(Class<? extends Record> type, List<Key> keys) {
        this(type, List.copyOf(keys), keys.stream().map(Key::name).toList(), constructorOf(type));
    }

    /**
     * Reads the keys of a record.
     *
     * @throws IllegalArgumentException if a component is no {@link Setting} or of a type that cannot be written
     */
    static SectionShape of(Class<? extends Record> type) {
        var known = SHAPES.get(type);
        if (known != null) {
            return known;
        }
        var keys = new ArrayList<Key>();
        for (var component : type.getRecordComponents()) {
            keys.add(keyOf(type, component));
        }
        var shape = new SectionShape(type, keys);
        SHAPES.put(type, shape);
        return shape;
    }

    /**
     * The key of that name.
     *
     * @throws IllegalArgumentException if there is none
     */
    Key key(String name) {
        int index = names.indexOf(name);
        if (index < 0) {
            throw new IllegalArgumentException("key %s (expected: one of %s)".formatted(name, names));
        }
        return keys.get(index);
    }

    private static Key keyOf(Class<? extends Record> type, RecordComponent component) {
        var setting = component.getAnnotation(Setting.class);
        if (setting == null) {
            throw new IllegalArgumentException(
                    "%s.%s: no @Setting (expected: one)".formatted(type.getName(), component.getName()));
        }
        var byDefault = setting.byDefault().isEmpty() ? null : new Default(setting.byDefault());
        var nullable = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
        return new Key(
                keyOf(component.getName()),
                setting.readAtStart() ? setting.value() + " Read at start only." : setting.value(),
                ValueType.of(component.getGenericType(), component),
                byDefault,
                byDefault == null && (!nullable || setting.required()),
                nullable);
    }

    /** Whether the file's keys are named by this record's components, as opposed to a record that only parses a word. */
    static boolean isSection(Class<?> type) {
        return Arrays.stream(type.getRecordComponents())
                .anyMatch(component -> component.isAnnotationPresent(Setting.class));
    }

    /** A Java name as the file writes it: {@code maxTokenAge} is {@code max-token-age}. */
    static String keyOf(String javaName) {
        return javaName.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    }

    private static Constructor<? extends Record> constructorOf(Class<? extends Record> type) {
        try {
            var types = Arrays.stream(type.getRecordComponents())
                    .map(RecordComponent::getType)
                    .toArray(Class<?>[]::new);
            var constructor = type.getDeclaredConstructor(types);
            constructor.trySetAccessible();
            return constructor;
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException("record %s without its constructor".formatted(type.getName()), e);
        }
    }
}
