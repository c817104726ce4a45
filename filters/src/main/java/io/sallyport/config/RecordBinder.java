// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns a file into the records that describe its sections. Goes on after a wrong value, so that all findings come at once: it
 * puts the default or null in its place; a section that needs it is null itself, and named values that could not be bound
 * are left out of their map. So what was bound may be looked at further, but must not be used unless there are no findings.
 */
public final class RecordBinder {
    static final String UNKNOWN_KEY = "unknown key";

    private final Path base;

    /** @param base the folder that relative paths in the file start from: the file's own */
    public RecordBinder(Path base) {
        this.base = base;
    }

    /**
     * Binds the whole document to a record of its top-level keys. Where that adds findings, what is returned is null, or good for
     * nothing but to find more: what could not be bound is null in it or has its default.
     */
    public <T extends Record> @Nullable T bind(YamlDocument document, Class<T> type, Findings findings) {
        return type.cast(section(document.root(), SectionShape.of(type), findings.at("")));
    }

    /** Binds YAML text, for a section by itself; no relative path in it means anything. */
    public static <T extends Record> @Nullable T bind(String yaml, Class<T> type, Findings findings) {
        var document = YamlDocument.parse(yaml, findings);
        return document == null ? null : new RecordBinder(Path.of("")).bind(document, type, findings);
    }

    private @Nullable Object value(YamlNode node, ValueType type, Findings.Place at) {
        if (node instanceof YamlNode.Refused) {
            return null;
        }
        return switch (type) {
            case ValueType.Scalar(var scalar) -> scalar(node, scalar, at);
            case ValueType.Choice choice -> choice(node, choice, at);
            case ValueType.Nested(var shape, var word) ->
                node instanceof YamlNode.Scalar && word != null ? scalar(node, word, at) : section(node, shape, at);
            case ValueType.ListOf list -> list(node, list, at);
            case ValueType.MapOf(var value) -> map(node, value, at);
        };
    }

    private @Nullable Object scalar(YamlNode node, ScalarType<?> type, Findings.Place at) {
        if (!(node instanceof YamlNode.Scalar scalar) || scalar.isNull()) {
            at.reject(node.shown(), type.expected());
            return null;
        }
        // What another reader of the file takes for a number or a boolean is not a text here: 0123, 1e3, true.
        if (type.json() == ScalarType.Json.STRING && scalar.isNotText()) {
            at.reject(scalar.text(), type.expected() + ", in quotes");
            return null;
        }
        if (type.json() != ScalarType.Json.STRING && !scalar.plain()) {
            at.reject("\"" + scalar.text() + "\"", type.expected() + ", without quotes");
            return null;
        }
        try {
            return type.parser().parse(scalar.text(), base);
        } catch (InvalidSetting e) {
            at.reject(scalar.shown(), e.expected());
        } catch (IllegalArgumentException e) {
            at.reject(scalar.shown(), type.expected());
        }
        return null;
    }

    private static @Nullable Object choice(YamlNode node, ValueType.Choice type, Findings.Place at) {
        if (node instanceof YamlNode.Scalar scalar) {
            for (var constant : type.type().getEnumConstants()) {
                if (ValueType.Choice.wordOf(constant).equals(scalar.text())) {
                    return constant;
                }
            }
        }
        at.reject(node.shown(), NearestName.oneOf(type.words()));
        return null;
    }

    private @Nullable Object list(YamlNode node, ValueType.ListOf type, Findings.Place at) {
        if (!(node instanceof YamlNode.Sequence(var items, var _))) {
            at.reject(node.shown(), node instanceof YamlNode.Scalar s && !s.isNull() ? "a list: [...]" : "a list");
            return null;
        }
        var values = new ArrayList<Object>();
        for (int i = 0; i < items.size(); i++) {
            var value = value(items.get(i), type.element(), at.element(i));
            if (value != null) {
                if (type.distinct() && values.contains(value)) {
                    at.element(i).reject(items.get(i).shown(), "each value once");
                }
                values.add(value);
            }
        }
        if (values.size() < items.size()) {
            return null;
        }
        return type.distinct() ? Collections.unmodifiableSet(new LinkedHashSet<>(values)) : List.copyOf(values);
    }

    private @Nullable Object map(YamlNode node, ValueType type, Findings.Place at) {
        if (!(node instanceof YamlNode.Mapping(var entries, var _))) {
            at.reject(node.shown(), "names, each with its value");
            return null;
        }
        var values = new LinkedHashMap<String, Object>();
        entries.forEach((name, entry) -> {
            var value = value(entry.value(), type, at.child(name));
            if (value != null) {
                values.put(name, value);
            }
        });
        return Collections.unmodifiableMap(values);
    }

    private @Nullable Record section(YamlNode node, SectionShape shape, Findings.Place at) {
        if (!(node instanceof YamlNode.Mapping(var entries, var _))) {
            at.reject(node.shown(), "a section with " + NearestName.oneOf(shape.names()));
            return null;
        }
        for (var name : entries.keySet()) {
            if (!shape.names().contains(name)) {
                at.child(name).reject(UNKNOWN_KEY, NearestName.expectation(name, shape.names()));
            }
        }
        boolean complete = true;
        boolean wrong = false;
        var arguments = new ArrayList<@Nullable Object>();
        for (var key : shape.keys()) {
            var place = at.child(key.name());
            var entry = entries.get(key.name());
            @Nullable Object argument = null;
            if (entry != null) {
                argument = value(entry.value(), key.type(), place);
                wrong |= argument == null;
            } else if (key.required()) {
                place.reject(null, key.description());
                wrong = true;
            }
            if (argument == null && key.byDefault() != null) {
                argument = value(key.byDefault().value(), key.type(), place);
            }
            complete &= argument != null || key.nullable();
            arguments.add(argument);
        }
        return complete ? construct(shape, arguments, node, wrong ? null : at) : null;
    }

    /** The value in the words of the file, where it has some: {@code 5m} rather than {@code PT5M}. */
    private static String asWritten(InvalidSetting invalid, YamlNode node) {
        if (node instanceof YamlNode.Mapping(var entries, var _)) {
            var entry = entries.get(invalid.key());
            if (entry != null && entry.value() instanceof YamlNode.Scalar) {
                return entry.value().shown();
            }
        }
        return invalid.value();
    }

    /** @param at null if a value is not the file's: what the constructor says of it is then no finding */
    private static @Nullable Record construct(
            SectionShape shape, List<@Nullable Object> arguments, YamlNode node, Findings.@Nullable Place at) {
        try {
            return shape.constructor().newInstance(arguments.toArray());
        } catch (InvocationTargetException e) {
            if (at == null && e.getCause() instanceof RuntimeException) {
                return null;
            }
            switch (e.getCause()) {
                case InvalidSetting invalid
                when at != null -> {
                    var place = invalid.key().isEmpty() ? at : at.child(invalid.key());
                    place.reject(asWritten(invalid, node), invalid.expected());
                    return null;
                }
                // A library's type that a constructor made of the values: it says what was wrong in its own words.
                case IllegalArgumentException illegal
                when at != null -> {
                    at.reject(node.shown(), String.valueOf(illegal.getMessage()));
                    return null;
                }
                case null, default -> throw new IllegalStateException("%s failed".formatted(shape.type()), e);
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("%s cannot be made".formatted(shape.type()), e);
        }
    }
}
