// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * A file of the part of YAML 1.2 that can be read in one way only: one document, no anchors, aliases, tags or merge keys,
 * every key a text that stands once in its section.
 *
 * <p>Built from the parser's events: its composed tree has aliases resolved and tags applied by then, and says of a
 * duplicate key only where the first one is.
 */
public final class YamlDocument {
    /** Ten thousand routes fit five times. */
    static final int MAX_BYTES = 32 * 1024 * 1024;

    private static final int MAX_DEPTH = 64;

    private static final LoadSettings WITH_LINES = settings(true);
    private static final LoadSettings WITHOUT_LINES = settings(false);

    private final YamlNode root;

    private YamlDocument(YamlNode root) {
        this.root = root;
    }

    private static LoadSettings settings(boolean lines) {
        return LoadSettings.builder()
                .setLabel("configuration")
                .setCodePointLimit(MAX_BYTES)
                .setUseMarks(lines)
                .build();
    }

    /** Reads the file's bytes, or adds a finding that says why they cannot be read and returns null. */
    public static byte @Nullable [] readBytes(Path file, Findings findings) {
        try (var input = Files.newInputStream(file)) {
            var bytes = input.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                findings.at("").reject("more than %d bytes".formatted(MAX_BYTES), "at most 32 MiB");
                return null;
            }
            return bytes;
        } catch (IOException e) {
            findings.at("").reject("not readable: " + reasonOf(e), "a YAML file that this process may read");
            return null;
        }
    }

    private static String reasonOf(IOException e) {
        return switch (e) {
            case java.nio.file.NoSuchFileException _ -> "there is no such file";
            case java.nio.file.AccessDeniedException _ -> "access denied";
            default -> String.valueOf(e.getMessage());
        };
    }

    /**
     * Parses a file. Later findings at a path of it are given that path's line.
     *
     * @return null if it is no YAML at all; then the findings say where it ends being so
     */
    public static @Nullable YamlDocument parse(byte[] utf8, Findings findings) {
        var text = decode(utf8, findings);
        return text == null ? null : parse(text, findings);
    }

    /** The file's text, or null with a finding if it is none. */
    static @Nullable String decode(byte[] utf8, Findings findings) {
        var text = new String(utf8, StandardCharsets.UTF_8);
        // What this puts in place of wrong bytes may also have been written: only then does it take the decoder that
        // tells the two apart, at several times the memory.
        if (text.indexOf('\uFFFD') < 0) {
            return text;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
        } catch (CharacterCodingException e) {
            findings.at("").reject("not UTF-8", "UTF-8 text");
            return null;
        }
    }

    static @Nullable YamlDocument parse(String text, Findings findings) {
        var tree = parseWithoutLines(text);
        if (tree == null) {
            tree = parseWithLines(text, findings);
        }
        if (tree == null) {
            return null;
        }
        locate(text, findings);
        return new YamlDocument(tree);
    }

    /** Findings at a path of that text are given the path's line from here on. */
    static void locate(String text, Findings findings) {
        findings.locate(new Lines(text)::of);
    }

    /**
     * Without knowing where in the file it is: that takes a mark for every token, and is needed for findings alone.
     *
     * @return null if anything is to be found
     */
    static @Nullable YamlNode parseWithoutLines(String text) {
        var findings = new Findings();
        try {
            var tree = compose(text, WITHOUT_LINES, findings);
            return findings.isEmpty() ? tree : null;
        } catch (RuntimeException e) {
            // Whatever it is, reading it again finds it too, and says where it is.
            return null;
        }
    }

    private static @Nullable YamlNode compose(String text, LoadSettings settings, Findings findings) {
        return new Composer(new Parse(settings).parseString(text).iterator(), findings).compose();
    }

    private static @Nullable YamlNode parseWithLines(String text, Findings findings) {
        try {
            return compose(text, WITH_LINES, findings);
        } catch (MarkedYamlEngineException e) {
            int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(0);
            int column = e.getProblemMark().map(mark -> mark.getColumn() + 1).orElse(0);
            var indentation = Indentation.findingAt(line, text);
            findings.add(
                    indentation != null
                            ? indentation
                            : new Finding("", "not YAML: " + e.getProblem(), "valid YAML", line, column));
            return null;
        } catch (YamlEngineException e) {
            findings.at("").reject("not YAML: " + e.getMessage(), "valid YAML");
            return null;
        } catch (IllegalArgumentException e) {
            // The library lets it out for an escape in double quotes
            // that the end of the file cuts, or that is no character.
            findings.at("").reject("not YAML: an escape that is no character", "valid YAML");
            return null;
        }
    }

    /** The value that a {@link Setting#byDefault()} writes. */
    static YamlNode parseDefault(String yaml) {
        var findings = new Findings();
        var document = parse(yaml, findings);
        if (document == null || !findings.isEmpty()) {
            throw new IllegalStateException("default: %s (expected: YAML without anchors and tags)".formatted(yaml));
        }
        return document.root;
    }

    YamlNode root() {
        return root;
    }

    /** Where the paths of a text stand in it. */
    private static final class Lines {
        private final String text;
        private @Nullable Map<String, Integer> byPath;

        private Lines(String text) {
            this.text = text;
        }

        /** Where the key at that path stands; if there is none, the nearest section around it. */
        private Findings.Position of(String path) {
            var lines = byPath();
            var at = path;
            while (!at.isEmpty()) {
                var line = lines.get(at);
                if (line != null) {
                    return new Findings.Position(line, columnOf(line, at));
                }
                at = at.substring(0, Math.max(0, Math.max(at.lastIndexOf('.'), at.lastIndexOf('['))));
            }
            return Findings.Position.NOWHERE;
        }

        private int columnOf(int line, String path) {
            var key = path.substring(path.lastIndexOf('.') + 1);
            var lines = text.split("\n", line + 1);
            // The parser knows line ends that nobody writes.
            return line > lines.length ? 0 : lines[line - 1].indexOf(key) + 1;
        }

        /** Made for the first finding, since most files have none. */
        private Map<String, Integer> byPath() {
            if (byPath == null) {
                byPath = new HashMap<>();
                var located = parseWithLines(text, new Findings());
                if (located != null) {
                    index(located, "", byPath);
                }
            }
            return byPath;
        }

        private static void index(YamlNode node, String path, Map<String, Integer> lines) {
            switch (node) {
                case YamlNode.Scalar _, YamlNode.Refused _ -> {}
                case YamlNode.Sequence(var items, var _) -> {
                    for (int i = 0; i < items.size(); i++) {
                        var element = "%s[%d]".formatted(path, i);
                        lines.put(element, items.get(i).line());
                        index(items.get(i), element, lines);
                    }
                }
                case YamlNode.Mapping(var entries, var _) ->
                    entries.forEach((key, entry) -> {
                        var child = path.isEmpty() ? key : path + "." + key;
                        lines.put(child, entry.line());
                        index(entry.value(), child, lines);
                    });
            }
        }
    }

    /** Turns the parser's events into a tree. What is not allowed is reported and left out, so that the rest is still read. */
    private static final class Composer {
        private final Iterator<Event> events;
        private final Findings findings;

        private Composer(Iterator<Event> events, Findings findings) {
            this.events = events;
            this.findings = findings;
        }

        private @Nullable YamlNode compose() {
            YamlNode root = null;
            while (events.hasNext()) {
                var event = events.next();
                switch (event.getEventId()) {
                    case StreamStart, StreamEnd, DocumentStart, DocumentEnd, Comment -> {}
                    default -> {
                        if (root != null) {
                            findings.add(
                                    new Finding("", "a second document", "one document in the file", lineOf(event)));
                            return null;
                        }
                        root = node(event, findings.at(""), 0);
                    }
                }
            }
            if (root == null) {
                findings.at("").reject("an empty file", "the key sallyport");
            }
            return root;
        }

        private YamlNode node(Event event, Findings.Place at, int depth) {
            int line = lineOf(event);
            if (depth > MAX_DEPTH) {
                throw new YamlEngineException("nested deeper than %d, line %d".formatted(MAX_DEPTH, line));
            }
            if (event instanceof NodeEvent node && !(event instanceof AliasEvent)) {
                node.getAnchor()
                        .ifPresent(anchor -> findings.add(new Finding(
                                at.path(), "&" + anchor.getValue(), "no anchor: write the value out", line)));
            }
            return switch (event) {
                case AliasEvent alias -> {
                    findings.add(new Finding(
                            at.path(), "*" + alias.getAlias().getValue(), "no alias: write the value out", line));
                    yield new YamlNode.Refused(line);
                }
                case ScalarEvent scalar -> {
                    refuseTag(scalar.getTag(), at, line);
                    yield new YamlNode.Scalar(scalar.getValue(), scalar.isPlain(), line);
                }
                case MappingStartEvent start -> {
                    refuseTag(start.getTag(), at, line);
                    yield mapping(line, at, depth);
                }
                case CollectionStartEvent start -> {
                    refuseTag(start.getTag(), at, line);
                    yield sequence(line, at, depth);
                }
                default -> throw new IllegalStateException("event %s".formatted(event.getEventId()));
            };
        }

        private YamlNode sequence(int line, Findings.Place at, int depth) {
            var items = new ArrayList<YamlNode>();
            for (var event = events.next(); event.getEventId() != Event.ID.SequenceEnd; event = events.next()) {
                items.add(node(event, at.element(items.size()), depth + 1));
            }
            return new YamlNode.Sequence(items, line);
        }

        private YamlNode mapping(int line, Findings.Place at, int depth) {
            var entries = new LinkedHashMap<String, YamlNode.Entry>();
            for (var event = events.next(); event.getEventId() != Event.ID.MappingEnd; event = events.next()) {
                int keyLine = lineOf(event);
                var key = node(event, at, depth + 1);
                var name = key instanceof YamlNode.Scalar scalar ? scalar.text() : key.shown();
                var child = at.child(name);
                var value = node(events.next(), child, depth + 1);
                if (!(key instanceof YamlNode.Scalar scalar) || scalar.isNull()) {
                    findings.add(new Finding(at.path(), key.shown() + " as a key", "a text as a key", keyLine));
                } else if (name.equals("<<")) {
                    findings.add(new Finding(child.path(), "a merge key", "no merge: write the keys out", keyLine));
                } else {
                    var first = entries.putIfAbsent(name, new YamlNode.Entry(value, keyLine));
                    if (first != null) {
                        var expected = "each key once; it stands on line %d already".formatted(first.line());
                        findings.add(new Finding(child.path(), "a duplicate key", expected, keyLine));
                    }
                }
            }
            return new YamlNode.Mapping(entries, line);
        }

        private void refuseTag(Optional<String> tag, Findings.Place at, int line) {
            tag.ifPresent(name -> findings.add(new Finding(at.path(), "the tag " + name, "no tag", line)));
        }

        private static int lineOf(Event event) {
            return event.getStartMark().map(Mark::getLine).orElse(-1) + 1;
        }
    }
}
