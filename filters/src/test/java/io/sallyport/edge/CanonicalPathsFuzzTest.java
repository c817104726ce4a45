// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.fuzz.Corpus;
import io.sallyport.pipeline.CanonicalPath;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Of any path: one canonical form, which is its own, and in which no reader finds a segment more or a dot segment. */
public final class CanonicalPathsFuzzTest {
    private static final PathRules ALL = new PathRules(PathRules.Handling.PASS, PathRules.Handling.PASS);
    private static final Pattern ENCODED = Pattern.compile("%[0-9A-Fa-f]{2}");

    @Test
    void every_kept_input_has_the_properties() throws IOException {
        Corpus.of(CanonicalPathsFuzzTest.class).replay(CanonicalPathsFuzzTest::fuzzerTestOneInput);
    }

    @Test
    void so_has_every_mutation_of_them() throws IOException {
        Corpus.of(CanonicalPathsFuzzTest.class).mutate(CanonicalPathsFuzzTest::fuzzerTestOneInput);
    }

    public static void fuzzerTestOneInput(byte[] input) {
        var path = "/" + new String(input, StandardCharsets.ISO_8859_1);
        if (CanonicalPaths.read(path, 0, path.length()) instanceof CanonicalPaths.Reading.Conditional conditional) {
            requireOneReading(conditional);
            return;
        }
        var canonical = read(path);
        if (canonical == null) {
            return;
        }
        require(
                canonical.equals(read(canonical)) && CanonicalPaths.isCanonical(canonical, PathRules.STRICT),
                "is a fixed point",
                canonical);
        require(canonical.equals(read(spelledOut(canonical))), "is that of every spelling", canonical);
        var decoded = CanonicalPaths.decode(canonical, 0, canonical.length());
        require(!ENCODED.matcher(decoded).find(), "has nothing left to decode", canonical);
        require(
                decoded.chars().noneMatch(c -> c < ' ' || c == 0x7f || c == '\\' || c == ';'),
                "splits nowhere",
                canonical);
        for (var reading : new String[] {decoded, Normalizer.normalize(decoded, Normalizer.Form.NFKC)}) {
            require(slashes(reading) == slashes(canonical), "has as many segments to every reader", canonical);
            for (var segment : reading.substring(1).split("/", -1)) {
                require(!segment.equals(".") && !segment.equals(".."), "has no dot segment", canonical);
            }
        }
        require(!decoded.contains("//"), "has no empty segment", canonical);
    }

    /** One that a route may let pass. */
    private static void requireOneReading(CanonicalPaths.Reading.Conditional conditional) {
        var forwarded = conditional.forwarded();
        var canonical = conditional.path().value();
        require(CanonicalPaths.isCanonical(forwarded, ALL), "is a fixed point", forwarded);
        require(!CanonicalPaths.isCanonical(forwarded, PathRules.STRICT), "is refused elsewhere", forwarded);
        require(forwarded.replaceAll(";[^/]*", "").equals(canonical), "is authorized without parameters", forwarded);
        var decoded = CanonicalPaths.decode(canonical, 0, canonical.length());
        require(!ENCODED.matcher(decoded).find(), "has nothing left to decode", canonical);
        require(!decoded.contains("//"), "has no empty segment", canonical);
        for (var reading : new String[] {canonical, decoded, Normalizer.normalize(decoded, Normalizer.Form.NFKC)}) {
            for (var segment : reading.substring(1).split("/", -1)) {
                require(!segment.equals(".") && !segment.equals(".."), "has no dot segment", canonical);
            }
        }
    }

    private static @Nullable String read(String path) {
        return CanonicalPaths.read(path, 0, path.length())
                        instanceof CanonicalPaths.Reading.Canonical(CanonicalPath(var canonical))
                ? canonical
                : null;
    }

    /** The path with each letter and digit encoded, outside of what is encoded already. */
    private static String spelledOut(String canonical) {
        var out = new StringBuilder();
        for (int i = 0; i < canonical.length(); i++) {
            char c = canonical.charAt(i);
            if (c == '%') {
                out.append(canonical, i, i + 3);
                i += 2;
            } else if (Character.isLetterOrDigit(c)) {
                out.append('%').append(Integer.toHexString(c));
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private static long slashes(String path) {
        return path.chars().filter(c -> c == '/').count();
    }

    private static void require(boolean holds, String property, String canonical) {
        if (!holds) {
            throw new AssertionError("canonical \"%s\" (expected: %s)".formatted(canonical, property));
        }
    }
}
