// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns a file into the records that describe its sections. Goes on after a wrong value, so that all findings come at once: it
 * puts the default or null in its place; a section that needs it is null itself, and named values that could not be bound
 * are left out of their map. So what was bound may be looked at further, but must not be used unless there are no findings.
 */
public final class RecordBinder {
    static final String UNKNOWN_KEY = "unknown key";
    private static final String FILTER = "filters[";

    /** How many entries have a tree at once: enough to share what one parser costs, few enough to be gone soon. */
    private static final int ENTRIES_AT_ONCE = 64;

    private final Path base;
    private final @Nullable YamlNode standIn;
    private final Map<String, Object> entries;
    private final @Nullable LastRead lastRead;
    /** The sections around the one that is being bound, the nearest last. */
    private final List<Enclosing> enclosing = new ArrayList<>();

    private record Enclosing(SectionShape shape, Findings.Place at) {}

    /** @param base the folder that relative paths in the file start from: the file's own */
    public RecordBinder(Path base) {
        this(base, null, Map.of(), null);
    }

    /**
     * Binds some part of a file.
     *
     * @param entries what {@code standIn} is bound to
     * @param lastRead null if every finding is to be made as often as there is cause for it
     */
    private RecordBinder(
            Path base, @Nullable YamlNode standIn, Map<String, Object> entries, @Nullable LastRead lastRead) {
        this.base = base;
        this.standIn = standIn;
        this.entries = entries;
        this.lastRead = lastRead;
    }

    /**
     * Binds a file as {@link #bind(YamlDocument, Class, Findings)} does, whose length is nearly all that of one section of
     * named values: bound a few at a time, so that there is no tree of the whole; and not at all if they stand as they did before.
     * A file that is not written line by line, or in which anything is wrong, is read as a whole.
     *
     * @param outer the top-level key that the long section is in
     * @param section the long section's key
     * @param before what a file of the same folder was bound to, if there is one; the value of an entry that it has in the same
     *     words is the same object again
     * @return null with findings, or if there are findings good for nothing but to find more
     */
    public <T extends Record> @Nullable Bound<T> bind(
            byte[] utf8, Class<T> type, String outer, String section, @Nullable Bound<T> before, Findings findings) {
        var text = YamlDocument.decode(utf8, findings);
        if (text == null) {
            return null;
        }
        var texts = EntryTexts.cut(text, outer, section, before == null ? null : before.texts());
        var bound = texts == null ? null : bindEntries(texts, type, entryType(type, outer, section), before);
        if (bound != null) {
            YamlDocument.locate(text, findings);
            return bound;
        }
        var document = YamlDocument.parse(text, findings);
        var value = document == null ? null : bind(document, type, findings);
        return value == null ? null : new Bound<>(value, null, Map.of());
    }

    private static ValueType entryType(Class<? extends Record> type, String outer, String section) {
        if (SectionShape.of(type).key(outer).type() instanceof ValueType.Nested(var shape, var _)
                && shape.key(section).type() instanceof ValueType.MapOf(var entry)) {
            return entry;
        }
        throw new IllegalArgumentException(
                "%s.%s of %s (expected: a section of named values)".formatted(outer, section, type.getName()));
    }

    /** Returns null if anything is wrong: reading the whole finds it, and says where. */
    private <T extends Record> @Nullable Bound<T> bindEntries(
            EntryTexts texts, Class<T> type, ValueType entryType, @Nullable Bound<T> before) {
        var root = YamlDocument.parseWithoutLines(texts.around());
        var place = root == null ? null : texts.standIn(root);
        if (root == null || place == null) {
            return null;
        }
        var entries = new RecordBinder(base, null, Map.of(), new LastRead()).entries(texts, entryType, before);
        if (entries == null) {
            return null;
        }
        var findings = new Findings();
        var value = new RecordBinder(base, place, entries, null).section(root, SectionShape.of(type), findings.at(""));
        return value == null || !findings.isEmpty() ? null : new Bound<>(type.cast(value), texts, entries);
    }

    private @Nullable Map<String, Object> entries(EntryTexts texts, ValueType type, @Nullable Bound<?> before) {
        var names = texts.names();
        var values = LinkedHashMap.<String, Object>newLinkedHashMap(names.size());
        var known = new EntryTexts.Finder(before == null ? null : before.texts());
        int read = 0;
        for (int i = 0; i < names.size(); i++) {
            var same = before == null ? null : sameEntry(texts, i, before, known);
            if (same != null || i - read == ENTRIES_AT_ONCE) {
                if (!bindBetween(read, i, texts, type, values)) {
                    return null;
                }
                read = i;
            }
            if (same != null) {
                values.put(names.get(i), same);
                read = i + 1;
            }
        }
        // A name that stands there twice is one value too few.
        return bindBetween(read, names.size(), texts, type, values) && values.size() == names.size()
                ? Collections.unmodifiableMap(values)
                : null;
    }

    private static @Nullable Object sameEntry(EntryTexts texts, int index, Bound<?> before, EntryTexts.Finder known) {
        var name = texts.names().get(index);
        int earlier = known.find(name, 0, name.length());
        return before.texts() != null && earlier >= 0 && texts.isSame(index, before.texts(), earlier)
                ? before.entry(earlier)
                : null;
    }

    /** Returns whether these entries, and nothing else, stand there, and are right. */
    private boolean bindBetween(int from, int to, EntryTexts texts, ValueType type, Map<String, Object> values) {
        if (from == to) {
            return true;
        }
        var names = texts.names().subList(from, to);
        var tree = YamlDocument.parseWithoutLines(texts.between(from, to));
        if (!(tree instanceof YamlNode.Mapping(var entries, var _))
                || !List.copyOf(entries.keySet()).equals(names)) {
            return false;
        }
        var findings = new Findings();
        for (var name : names) {
            // Each an object of its own, however it is written: by that it is known again.
            var value = read(Objects.requireNonNull(entries.get(name)).value(), type, findings.at(name));
            if (value != null) {
                values.put(name, value);
            }
        }
        return findings.isEmpty();
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
        var known = lastRead == null ? null : lastRead.get(node, type);
        if (known != null) {
            return known;
        }
        var value = read(node, type, at);
        if (lastRead != null && value != null) {
            lastRead.put(node, type, value);
        }
        return value;
    }

    private @Nullable Object read(YamlNode node, ValueType type, Findings.Place at) {
        if (node instanceof YamlNode.Refused) {
            return null;
        }
        if (node instanceof YamlNode.Scalar scalar && isPlaceholder(scalar.text(), at)) {
            at.reject(scalar.text(), "the value itself: nothing is put in the place of ${...}");
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

    /** Whether somebody expects a variable to be put there. A filter means a group of its pattern by the same sign. */
    private static boolean isPlaceholder(String text, Findings.Place at) {
        return text.contains("${") && !at.path().contains(FILTER);
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

    @SuppressWarnings("ReferenceEquality") // this very place in the file, not one that reads alike
    private @Nullable Object map(YamlNode node, ValueType type, Findings.Place at) {
        if (node == standIn) {
            return entries;
        }
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
        refuseUnknown(entries, shape, at);
        enclosing.add(new Enclosing(shape, at));
        try {
            return bind(entries, shape, node, at);
        } finally {
            enclosing.removeLast();
        }
    }

    private void refuseUnknown(Map<String, YamlNode.Entry> entries, SectionShape shape, Findings.Place at) {
        String before = null;
        for (var name : entries.keySet()) {
            if (!shape.names().contains(name)) {
                var owner = ownerOf(name, before, entries, shape, at);
                if (owner == null) {
                    at.child(name).reject(UNKNOWN_KEY, NearestName.expectation(name, shape.names()));
                } else {
                    at.child(name).misplaced(UNKNOWN_KEY, owner);
                }
            } else {
                before = name;
            }
        }
    }

    /** Which section has a key of that name, if it looks as if it had been indented too little or too much for it. */
    private @Nullable String ownerOf(
            String name,
            @Nullable String before,
            Map<String, YamlNode.Entry> entries,
            SectionShape shape,
            Findings.Place at) {
        if (before != null
                && shape.key(before).type() instanceof ValueType.Nested(var nested, var _)
                && nested.names().contains(name)
                && Objects.requireNonNull(entries.get(before)).value() instanceof YamlNode.Scalar empty
                && empty.isNull()) {
            return "it is a key of %s, below which nothing stands: indent it more"
                    .formatted(at.child(before).path());
        }
        for (var around : enclosing.reversed()) {
            if (around.shape().names().contains(name) && !around.at().path().isEmpty()) {
                return "it is a key of %s: indent it less".formatted(around.at().path());
            }
        }
        return null;
    }

    private @Nullable Record bind(
            Map<String, YamlNode.Entry> entries, SectionShape shape, YamlNode node, Findings.Place at) {
        boolean complete = true;
        var wrong = new HashSet<String>();
        var arguments = new ArrayList<@Nullable Object>();
        for (var key : shape.keys()) {
            var place = at.child(key.name());
            var entry = entries.get(key.name());
            @Nullable Object argument = null;
            if (entry != null) {
                argument = value(entry.value(), key.type(), place);
                if (argument == null) {
                    wrong.add(key.name());
                }
            } else if (key.required()) {
                place.reject(null, key.description());
                wrong.add(key.name());
            }
            if (argument == null && key.byDefault() != null) {
                argument = value(key.byDefault().value(), key.type(), place);
            }
            complete &= argument != null || key.nullable();
            arguments.add(argument);
        }
        return complete ? construct(shape, arguments, node, wrong, at) : null;
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

    /**
     * Makes the section, or adds everything that its constructor says of it: after each finding it is asked again, with the default in
     * the place of the value that was wrong.
     *
     * @param wrong the keys whose values are not the file's: what the constructor says of these, or of absent ones beside them, is no finding
     */
    private @Nullable Record construct(
            SectionShape shape, List<@Nullable Object> arguments, YamlNode node, Set<String> wrong, Findings.Place at) {
        boolean refused = false;
        while (true) {
            try {
                var made = shape.constructor().newInstance(arguments.toArray());
                return refused ? null : made;
            } catch (InvocationTargetException e) {
                refused = true;
                if (e.getCause() instanceof InvalidSetting invalid) {
                    if (wrong.isEmpty() || isOfTheFile(invalid.key(), wrong, node)) {
                        var place = invalid.key().isEmpty() ? at : at.child(invalid.key());
                        place.reject(asWritten(invalid, node), invalid.expected());
                    }
                    if (!wrong.add(invalid.key()) || !replace(invalid.key(), shape, arguments, at)) {
                        return null;
                    }
                } else if (e.getCause() instanceof IllegalArgumentException illegal) {
                    // A library's type that a constructor made of the values: it says what was wrong in its own words.
                    if (wrong.isEmpty()) {
                        at.reject(node.shown(), String.valueOf(illegal.getMessage()));
                    }
                    return null;
                } else if (e.getCause() instanceof RuntimeException && !wrong.isEmpty()) {
                    return null;
                } else {
                    throw new IllegalStateException("%s failed".formatted(shape.type()), e);
                }
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("%s cannot be made".formatted(shape.type()), e);
            }
        }
    }

    private static boolean isOfTheFile(String key, Set<String> wrong, YamlNode node) {
        return !wrong.contains(key) && node instanceof YamlNode.Mapping(var entries, var _) && entries.containsKey(key);
    }

    /** Puts the default, or null, in the place of that key's value; false if it has neither. */
    private boolean replace(String name, SectionShape shape, List<@Nullable Object> arguments, Findings.Place at) {
        int index = shape.names().indexOf(name);
        if (index < 0) {
            return false;
        }
        var key = shape.keys().get(index);
        var byDefault = key.byDefault() == null ? null : value(key.byDefault().value(), key.type(), at);
        if (byDefault == null && !key.nullable()) {
            return false;
        }
        arguments.set(index, byDefault);
        return true;
    }
}
