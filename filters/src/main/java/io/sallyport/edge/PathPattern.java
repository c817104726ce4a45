// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.config.InvalidSetting;
import io.sallyport.pipeline.CanonicalPath;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/**
 * Which paths a route answers for, as an operator writes it: segments that are literal, {@code {name}} or {@code *} for
 * exactly one segment, and as the last one {@code **} for whatever follows, nothing included. Compared with canonical paths,
 * segment by segment; a slash at the end of a path takes no part.
 */
public final class PathPattern {
    private static final String EXPECTED =
            "a path such as /v1/orders, /v1/tenants/{tenant}/* or /v1/**, with whole segments only";
    private static final int MAX_SEGMENTS = 32;

    /** One segment of a pattern. */
    sealed interface Segment {
        /** Equal, as it stands in a canonical path. */
        record Literal(String text) implements Segment {}

        /** Any one segment, handed on under that name. */
        record Variable(String name) implements Segment {}

        /** Any one segment. */
        enum Any implements Segment {
            ANY
        }

        /** Whatever follows; only last. */
        enum Rest implements Segment {
            REST
        }
    }

    private final String text;
    private final List<Segment> segments;
    private final String literalPrefix;
    private final boolean hasVariables;

    private PathPattern(String text, List<Segment> segments) {
        this.text = text;
        this.segments = List.copyOf(segments);
        this.literalPrefix = prefixOf(this.segments);
        this.hasVariables = segments.stream().anyMatch(Segment.Variable.class::isInstance);
    }

    /**
     * Reads a pattern.
     *
     * @throws InvalidSetting naming what is wrong with it
     */
    public static PathPattern parse(String text) {
        if (!text.startsWith("/")) {
            throw new InvalidSetting("", text, EXPECTED);
        }
        if (text.length() > 1 && text.endsWith("/")) {
            throw new InvalidSetting("", text, "no slash at the end: it takes no part in matching");
        }
        var segments = new ArrayList<Segment>();
        var names = new HashSet<String>();
        // Limit -1 keeps empty segments, which parseSegment refuses.
        for (var segment : text.equals("/") ? new String[0] : text.substring(1).split("/", -1)) {
            if (!segments.isEmpty() && segments.getLast() == Segment.Rest.REST) {
                throw new InvalidSetting("", text, "** as the last segment only");
            }
            var parsed = parseSegment(text, segment);
            if (parsed instanceof Segment.Variable(String name) && !names.add(name)) {
                throw new InvalidSetting("", text, "each variable once; {%s} is there twice".formatted(name));
            }
            segments.add(parsed);
        }
        if (segments.size() > MAX_SEGMENTS) {
            throw new InvalidSetting("", text, "at most %d segments".formatted(MAX_SEGMENTS));
        }
        return new PathPattern(text, segments);
    }

    private static Segment parseSegment(String text, String segment) {
        if (segment.equals("*")) {
            return Segment.Any.ANY;
        }
        if (segment.equals("**")) {
            return Segment.Rest.REST;
        }
        if (segment.startsWith("{") && segment.endsWith("}")) {
            var name = segment.substring(1, segment.length() - 1);
            if (!isName(name)) {
                throw new InvalidSetting("", text, "variables named by letters, digits and _, a letter first");
            }
            return new Segment.Variable(name);
        }
        if (segment.isEmpty() || segment.indexOf('*') >= 0 || segment.indexOf('{') >= 0 || segment.indexOf('}') >= 0) {
            throw new InvalidSetting("", text, EXPECTED);
        }
        var literal = "/" + segment;
        return switch (CanonicalPaths.read(literal, 0, literal.length())) {
            case CanonicalPaths.Reading.Canonical(CanonicalPath(String canonical))
            when canonical.equals(literal) -> new Segment.Literal(segment);
            case CanonicalPaths.Reading.Canonical(CanonicalPath(String canonical)) ->
                throw new InvalidSetting("", text, "the canonical spelling of that segment: " + canonical.substring(1));
            case CanonicalPaths.Reading.Conditional _, CanonicalPaths.Reading.Refused _ ->
                throw new InvalidSetting("", text, "segments that a request may have; this one is refused: " + segment);
        };
    }

    // What a rule can write after "path." in CEL.
    private static boolean isName(String name) {
        return !name.isEmpty()
                && name.length() <= 64
                && isLetter(name.charAt(0))
                && name.chars().allMatch(c -> isLetter(c) || (c >= '0' && c <= '9') || c == '_');
    }

    private static boolean isLetter(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    private static String prefixOf(List<Segment> segments) {
        var prefix = new StringBuilder();
        for (var segment : segments) {
            if (!(segment instanceof Segment.Literal(String literal))) {
                break;
            }
            prefix.append('/').append(literal);
        }
        return prefix.toString();
    }

    List<Segment> segments() {
        return segments;
    }

    /** The segments before the first that is not literal, each with its slash before it: {@code /v1/tenants}, or empty. */
    public String literalPrefix() {
        return literalPrefix;
    }

    /** The names of the variables, in their order. */
    public List<String> variableNames() {
        return segments.stream()
                .filter(Segment.Variable.class::isInstance)
                .map(segment -> ((Segment.Variable) segment).name())
                .toList();
    }

    /**
     * The values of the variables, percent-decoded, by name.
     *
     * @param path canonical, and matched by this pattern
     */
    Map<String, String> variablesOf(String path) {
        if (!hasVariables) {
            return Map.of();
        }
        var variables = HashMap.<String, String>newHashMap(segments.size());
        int from = 1;
        // For each request, so without an iterator.
        for (int i = 0; i < segments.size(); i++) {
            int slash = path.indexOf('/', from);
            int end = slash < 0 ? path.length() : slash;
            if (segments.get(i) instanceof Segment.Variable(String name)) {
                variables.put(name, CanonicalPaths.decode(path, from, end));
            }
            from = end + 1;
        }
        return Collections.unmodifiableMap(variables);
    }

    /**
     * Whether every encoded slash of a path is part of the value of a variable.
     *
     * @param path canonical, and matched by this pattern
     */
    boolean hasEncodedSlashesInVariablesOnly(String path) {
        int from = 1;
        for (var segment : segments) {
            int slash = path.indexOf('/', from);
            int end = slash < 0 ? path.length() : slash;
            int encoded = path.indexOf(CanonicalPaths.ENCODED_SLASH, from);
            if (encoded < 0) {
                return true;
            }
            if (encoded < end && !(segment instanceof Segment.Variable)) {
                return false;
            }
            from = Math.min(end + 1, path.length());
        }
        return path.indexOf(CanonicalPaths.ENCODED_SLASH, from) < 0;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PathPattern pattern && pattern.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** As the operator wrote it. */
    @Override
    public String toString() {
        return text;
    }
}
