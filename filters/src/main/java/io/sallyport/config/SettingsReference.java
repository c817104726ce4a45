// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The reference of every key of the file, in Markdown: a table for each section, in the order in which the file has them. */
public final class SettingsReference {
    private final StringBuilder text = new StringBuilder();
    private final Map<SectionShape, String> described = new HashMap<>();

    private SettingsReference() {}

    /** The tables for a file whose top-level keys are that record's. */
    public static String of(Class<? extends Record> root) {
        var reference = new SettingsReference();
        reference.describe("", SectionShape.of(root));
        return reference.text.toString();
    }

    private record Section(String path, SectionShape shape) {}

    private void describe(String path, SectionShape shape) {
        var below = new ArrayList<Section>();
        if (!path.isEmpty()) {
            text.append("## `%s`\n\n".formatted(path));
        }
        text.append("| key | value | default | |\n|---|---|---|---|\n");
        for (var key : shape.keys()) {
            var at = path.isEmpty() ? key.name() : path + "." + key.name();
            text.append("| `%s` | %s | %s | %s |\n"
                    .formatted(
                            key.name(),
                            escaped(valueOf(key.type())),
                            escaped(defaultOf(key)),
                            escaped(key.description())));
            collect(at, key.type(), below);
        }
        text.append('\n');
        for (var section : below) {
            var same = described.putIfAbsent(section.shape(), section.path());
            if (same == null) {
                describe(section.path(), section.shape());
            } else {
                text.append("## `%s`\n\nThe keys of `%s`.\n\n".formatted(section.path(), same));
            }
        }
    }

    private static void collect(String path, ValueType type, List<Section> into) {
        switch (type) {
            case ValueType.Nested(var shape, var _) -> into.add(new Section(path, shape));
            case ValueType.ListOf(var element, var _) -> collect(path + "[]", element, into);
            case ValueType.MapOf(var value) -> collect(path + ".<name>", value, into);
            case ValueType.Scalar _, ValueType.Choice _ -> {}
        }
    }

    private static String valueOf(ValueType type) {
        return switch (type) {
            case ValueType.Scalar(var scalar) -> wordOf(scalar);
            case ValueType.Choice choice -> "`" + String.join("`, `", choice.words()) + "`";
            case ValueType.Nested(var _, var word) -> word == null ? "section" : "a word, or a section";
            case ValueType.ListOf(var element, var _) -> "list of " + valueOf(element);
            case ValueType.MapOf(var value) -> "by name: " + valueOf(value);
        };
    }

    private static String wordOf(ScalarType<?> scalar) {
        var type = scalar.type().getSimpleName();
        return switch (type) {
            case "String" -> "text";
            case "Integer" -> "int";
            case "URI" -> "URI";
            case "DataSize" -> "size";
            default -> SectionShape.keyOf(type).replace('-', ' ');
        };
    }

    private static String defaultOf(SectionShape.Key key) {
        return key.required()
                ? "**required**"
                : key.byDefault() == null ? "none" : "`" + key.byDefault().yaml() + "`";
    }

    private static String escaped(String cell) {
        return cell.replace("|", "\\|");
    }
}
