// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import com.fasterxml.classmate.ResolvedType;
import com.github.victools.jsonschema.generator.CustomDefinition;
import com.github.victools.jsonschema.generator.CustomDefinitionProviderV2;
import com.github.victools.jsonschema.generator.FieldScope;
import com.github.victools.jsonschema.generator.Option;
import com.github.victools.jsonschema.generator.OptionPreset;
import com.github.victools.jsonschema.generator.SchemaGenerationContext;
import com.github.victools.jsonschema.generator.SchemaGenerator;
import com.github.victools.jsonschema.generator.SchemaGeneratorConfigBuilder;
import com.github.victools.jsonschema.generator.SchemaVersion;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The JSON Schema (2020-12) of the file, for completion and checks in an editor. It says less than the binder does (ranges,
 * references and combinations are not in it) but never the contrary: what it refuses does not load.
 */
public final class SettingsSchema {
    // One object: by it the generator knows whom not to ask again for the section behind a word.
    private static final CustomDefinitionProviderV2 DEFINITIONS = SettingsSchema::definition;

    private SettingsSchema() {}

    /** The schema of a file whose top-level keys are that record's, as indented JSON with a line feed at its end. */
    public static String of(Class<? extends Record> root, String title) {
        var builder = new SchemaGeneratorConfigBuilder(SchemaVersion.DRAFT_2020_12, OptionPreset.PLAIN_JSON)
                .with(Option.DEFINITIONS_FOR_ALL_OBJECTS, Option.MAP_VALUES_AS_ADDITIONAL_PROPERTIES);
        builder.forTypesInGeneral()
                .withPropertySorter((_, _) -> 0)
                .withCustomDefinitionProvider(DEFINITIONS)
                .withTypeAttributeOverride((node, scope, _) -> {
                    // Not beside the choice between a word and a section, where it would refuse every key.
                    if (node.has("properties") && isSection(scope.getType())) {
                        node.put("additionalProperties", false);
                    }
                });
        builder.forFields()
                .withPropertyNameOverrideResolver(field -> SectionShape.keyOf(field.getDeclaredName()))
                .withDescriptionResolver(field -> ofKey(field, SectionShape.Key::description))
                .withRequiredCheck(field -> Boolean.TRUE.equals(ofKey(field, SectionShape.Key::required)))
                .withDefaultResolver(field -> ofKey(field, SettingsSchema::defaultOf));
        var schema = new SchemaGenerator(builder.build()).generateSchema(root);
        schema.put("title", title);
        return schema.toPrettyString() + "\n";
    }

    // A field that stands for the elements of its list or map has the key's name, but is not described by it.
    private static <T> @Nullable T ofKey(FieldScope field, Function<SectionShape.Key, @Nullable T> fact) {
        if (field.isFakeContainerItemScope()) {
            return null;
        }
        var shape = SectionShape.of(field.getDeclaringType().getErasedType().asSubclass(Record.class));
        var name = SectionShape.keyOf(field.getDeclaredName());
        return shape.keys().stream()
                .filter(key -> key.name().equals(name))
                .findFirst()
                .map(fact)
                .orElse(null);
    }

    private static @Nullable Object defaultOf(SectionShape.Key key) {
        return key.byDefault() == null ? null : json(key.byDefault().value());
    }

    private static Object json(YamlNode node) {
        return switch (node) {
            case YamlNode.Scalar scalar
            when scalar.plain() && scalar.text().matches("true|false") -> Boolean.valueOf(scalar.text());
            case YamlNode.Scalar scalar
            when scalar.plain() && scalar.text().matches("-?[0-9]+") -> Long.valueOf(scalar.text());
            case YamlNode.Scalar scalar -> scalar.text();
            case YamlNode.Sequence(var items, var _) ->
                items.stream().map(SettingsSchema::json).toList();
            case YamlNode.Mapping(var entries, var _) -> {
                var values = new LinkedHashMap<String, Object>();
                entries.forEach((name, entry) -> values.put(name, json(entry.value())));
                yield Map.copyOf(values);
            }
            case YamlNode.Refused _ -> throw new IllegalStateException("a default that may not stand in a file");
        };
    }

    private static boolean isSection(ResolvedType type) {
        return type.getErasedType().isRecord() && SectionShape.isSection(type.getErasedType());
    }

    private static @Nullable CustomDefinition definition(ResolvedType type, SchemaGenerationContext context) {
        var raw = type.getErasedType();
        if (Collection.class.isAssignableFrom(raw) || Map.class.isAssignableFrom(raw)) {
            return null;
        }
        var node = context.getGeneratorConfig().createObjectNode();
        return switch (ValueType.of(raw, raw)) {
            case ValueType.Scalar(var scalar) -> inline(scalar(node, scalar));
            case ValueType.Choice choice -> {
                var words = node.put("type", "string").putArray("enum");
                choice.words().forEach(words::add);
                yield inline(node);
            }
            case ValueType.Nested(var _, var word) -> word == null ? null : sectionOrWord(type, word, node, context);
            case ValueType.ListOf _, ValueType.MapOf _ -> null;
        };
    }

    private static CustomDefinition sectionOrWord(
            ResolvedType type, ScalarType<?> word, ObjectNode node, SchemaGenerationContext context) {
        var either = node.putArray("anyOf");
        scalar(either.addObject(), word);
        JsonNode section = context.createStandardDefinitionReference(type, DEFINITIONS);
        either.add(section);
        return inline(node);
    }

    private static ObjectNode scalar(ObjectNode node, ScalarType<?> scalar) {
        node.put("type", scalar.json().name().toLowerCase(Locale.ROOT));
        if (scalar.pattern() != null) {
            node.put("pattern", "^(?:" + scalar.pattern() + ")$");
        }
        return node;
    }

    private static CustomDefinition inline(ObjectNode node) {
        return new CustomDefinition(node, CustomDefinition.INLINE_DEFINITION, CustomDefinition.INCLUDING_ATTRIBUTES);
    }
}
