// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a key's value may be, read from the type of the record component that holds it. */
sealed interface ValueType {

    /** One word or number. */
    record Scalar(ScalarType<?> type) implements ValueType {}

    /** One of the constants of an enum, in lower case with dashes. */
    record Choice(Class<? extends Enum<?>> type) implements ValueType {
        /** The words by which the file names the constants, in their order. */
        List<String> words() {
            var words = new ArrayList<String>();
            for (var constant : type.getEnumConstants()) {
                words.add(wordOf(constant));
            }
            return words;
        }

        static String wordOf(Enum<?> constant) {
            return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /**
     * A section of its own.
     *
     * @param word how it is parsed when it is written as one word, or null if it cannot be
     */
    record Nested(SectionShape shape, @Nullable ScalarType<?> word) implements ValueType {}

    record ListOf(ValueType element, boolean distinct) implements ValueType {}

    record MapOf(ValueType value) implements ValueType {}

    /**
     * Reads what the file may say from a Java type.
     *
     * @throws IllegalArgumentException if no value of that type can be written in the file
     */
    static ValueType of(Type type, AnnotatedElement where) {
        if (type instanceof ParameterizedType generic) {
            var arguments = generic.getActualTypeArguments();
            if (generic.getRawType() == List.class || generic.getRawType() == Set.class) {
                return new ListOf(of(arguments[0], where), generic.getRawType() == Set.class);
            }
            if (generic.getRawType() == Map.class && arguments[0] == String.class) {
                return new MapOf(of(arguments[1], where));
            }
        }
        if (type instanceof Class<?> raw) {
            var parse = parseMethodOf(raw);
            if (raw.isRecord() && SectionShape.isSection(raw)) {
                return new Nested(SectionShape.of(raw.asSubclass(Record.class)), parse);
            }
            if (parse != null) {
                return new Scalar(parse);
            }
            var builtIn = ScalarType.builtIn(raw);
            if (builtIn != null) {
                return new Scalar(builtIn);
            }
            if (raw.isEnum()) {
                @SuppressWarnings("unchecked") // isEnum() says so
                var choice = (Class<? extends Enum<?>>) raw;
                return new Choice(choice);
            }
        }
        throw new IllegalArgumentException(
                "%s: %s (expected: a type that can be written in the file, see @Setting)".formatted(where, type));
    }

    private static @Nullable ScalarType<?> parseMethodOf(Class<?> type) {
        var method = methodOf(type, String.class);
        // A value that may name a file, which is sought beside the configuration's own.
        var named = method == null ? methodOf(type, String.class, Path.class) : method;
        return named != null && isParse(named, type) ? ScalarType.parsedBy(type, named) : null;
    }

    private static @Nullable Method methodOf(Class<?> type, Class<?>... parameters) {
        try {
            return type.getMethod("parse", parameters);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    // Not of a type of the JDK or of Spring: java.time.Duration.parse reads another notation than ours.
    private static boolean isParse(Method method, Class<?> type) {
        return Modifier.isStatic(method.getModifiers())
                && method.getReturnType() == type
                && ScalarType.builtIn(type) == null;
    }
}
