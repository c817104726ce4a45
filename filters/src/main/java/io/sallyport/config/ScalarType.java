// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/**
 * A type whose values are one word or number in the file.
 *
 * @param json the type that YAML gives such a value, in the words of JSON Schema
 * @param pattern what an editor can check of it, as a regular expression; null if any text of that JSON type will do
 * @param expected completes the sentence "expected: ..."
 */
record ScalarType<T>(Class<T> type, Json json, @Nullable String pattern, String expected, Parser<T> parser) {

    /** Turns text into a value, or throws {@link InvalidSetting} or another {@link IllegalArgumentException}. */
    interface Parser<T> {
        T parse(String text, Path base);
    }

    enum Json {
        STRING,
        INTEGER,
        BOOLEAN
    }

    private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m|h|d)");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,9})(B|KB|KiB|MB|MiB|GB|GiB)");
    private static final Pattern INTEGER = Pattern.compile("-?[0-9]+");

    private static final String A_BOOLEAN = "true or false";
    private static final String AN_INT = "a whole number up to 2147483647";
    private static final String A_LONG = "a whole number";
    private static final String A_DURATION = "a duration such as 500ms, 30s, 5m, 1h or 1d";
    private static final String A_SIZE = "a size such as 512B, 8KiB or 1MiB (KB, MB and GB are the same)";
    private static final String A_URI = "an absolute URI such as https://name.example";

    private static final Map<Class<?>, ScalarType<?>> BUILT_IN = Map.ofEntries(
            entry(String.class, Json.STRING, null, "text", (text, _) -> text),
            entry(boolean.class, Json.BOOLEAN, null, A_BOOLEAN, (text, _) -> parseBoolean(text)),
            entry(Boolean.class, Json.BOOLEAN, null, A_BOOLEAN, (text, _) -> parseBoolean(text)),
            entry(int.class, Json.INTEGER, null, AN_INT, (text, _) -> parseInt(text)),
            entry(Integer.class, Json.INTEGER, null, AN_INT, (text, _) -> parseInt(text)),
            entry(long.class, Json.INTEGER, null, A_LONG, (text, _) -> parseLong(text)),
            entry(Long.class, Json.INTEGER, null, A_LONG, (text, _) -> parseLong(text)),
            entry(Duration.class, Json.STRING, DURATION.pattern(), A_DURATION, (text, _) -> parseDuration(text)),
            entry(DataSize.class, Json.STRING, SIZE.pattern(), A_SIZE, (text, _) -> parseSize(text)),
            entry(URI.class, Json.STRING, "[A-Za-z][A-Za-z0-9+.-]*:.+", A_URI, (text, _) -> parseUri(text)),
            entry(Path.class, Json.STRING, ".+", "a path", ScalarType::parsePath));

    private static <T> Map.Entry<Class<?>, ScalarType<?>> entry(
            Class<T> type, Json json, @Nullable String pattern, String expected, Parser<T> parser) {
        return Map.entry(type, new ScalarType<>(type, json, pattern, expected, parser));
    }

    static @Nullable ScalarType<?> builtIn(Class<?> type) {
        return BUILT_IN.get(type);
    }

    /** A type of our own that reads itself. */
    static <T> ScalarType<T> parsedBy(Class<T> type, Method parse) {
        parse.trySetAccessible();
        return new ScalarType<>(type, Json.STRING, null, "a valid " + words(type), (text, base) -> {
            try {
                return type.cast(
                        parse.getParameterCount() == 1 ? parse.invoke(null, text) : parse.invoke(null, text, base));
            } catch (InvocationTargetException e) {
                if (e.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw new IllegalStateException("%s failed on a value of the file".formatted(parse), e.getCause());
            } catch (IllegalAccessException e) {
                throw new IllegalStateException("%s cannot be called".formatted(parse), e);
            }
        });
    }

    private static String words(Class<?> type) {
        return SectionShape.keyOf(type.getSimpleName()).replace('-', ' ');
    }

    private static boolean parseBoolean(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new InvalidSetting("", text, A_BOOLEAN);
        };
    }

    private static int parseInt(String text) {
        try {
            return Integer.parseInt(requireInteger(text, AN_INT));
        } catch (NumberFormatException e) {
            throw new InvalidSetting("", text, AN_INT);
        }
    }

    private static long parseLong(String text) {
        try {
            return Long.parseLong(requireInteger(text, A_LONG));
        } catch (NumberFormatException e) {
            throw new InvalidSetting("", text, A_LONG);
        }
    }

    private static String requireInteger(String text, String expected) {
        if (!INTEGER.matcher(text).matches()) {
            throw new InvalidSetting("", text, expected);
        }
        return text;
    }

    private static Duration parseDuration(String text) {
        var matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            throw new InvalidSetting("", text, A_DURATION);
        }
        long amount = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofDays(amount);
        };
    }

    private static DataSize parseSize(String text) {
        var matcher = SIZE.matcher(text);
        if (!matcher.matches()) {
            throw new InvalidSetting("", text, A_SIZE);
        }
        long amount = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2).charAt(0)) {
            case 'K' -> DataSize.ofKilobytes(amount);
            case 'M' -> DataSize.ofMegabytes(amount);
            case 'G' -> DataSize.ofGigabytes(amount);
            default -> DataSize.ofBytes(amount);
        };
    }

    private static URI parseUri(String text) {
        try {
            var uri = new URI(text);
            if (uri.isAbsolute()) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // said below
        }
        throw new InvalidSetting("", text, A_URI);
    }

    private static Path parsePath(String text, Path base) {
        try {
            if (!text.isEmpty()) {
                return base.resolve(text).normalize();
            }
        } catch (InvalidPathException e) {
            // said below
        }
        throw new InvalidSetting("", text, "a path");
    }
}
