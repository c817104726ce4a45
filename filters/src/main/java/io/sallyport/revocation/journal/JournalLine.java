// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.journal;

import io.sallyport.revocation.denylist.DenyListEntry;
import io.sallyport.revocation.denylist.DenyListKey;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** One line of the journal, to and from bytes: changes that were made durable together. */
final class JournalLine {
    private static final JsonMapper JSON = new JsonMapper();
    private static final byte[] PREFIX = ascii("{\"v\":1,\"c\":\"");
    private static final byte[] MIDDLE = ascii("\",\"e\":");
    private static final int CRC_LENGTH = 8;
    private static final int LIST_START = PREFIX.length + CRC_LENGTH + MIDDLE.length;

    private JournalLine() {}

    /**
     * One change, as it was decided.
     *
     * @param entry what the key stands for from now on; null if the entry was removed
     */
    record Change(DenyListKey key, @Nullable DenyListEntry entry) {}

    /** The changes as one line, with its newline. */
    static byte[] encode(Map<DenyListKey, @Nullable DenyListEntry> changes) {
        var list = JSON.createArrayNode();
        changes.forEach((key, entry) -> list.add(json(key, entry)));
        var listBytes = JSON.writeValueAsBytes(list);
        var line = new byte[LIST_START + listBytes.length + 2];
        System.arraycopy(PREFIX, 0, line, 0, PREFIX.length);
        System.arraycopy(crcOf(listBytes, 0, listBytes.length), 0, line, PREFIX.length, CRC_LENGTH);
        System.arraycopy(MIDDLE, 0, line, PREFIX.length + CRC_LENGTH, MIDDLE.length);
        System.arraycopy(listBytes, 0, line, LIST_START, listBytes.length);
        line[line.length - 2] = '}';
        line[line.length - 1] = '\n';
        return line;
    }

    private static ObjectNode json(DenyListKey key, @Nullable DenyListEntry entry) {
        var json = JSON.createObjectNode();
        json.put("op", entry == null ? "remove" : "put");
        json.put("kind", key.kind().claim());
        json.put("iss", key.issuer());
        json.put("value", key.value());
        if (entry != null) {
            var notBefore = entry.notBefore();
            if (notBefore != null) {
                json.put("not_before", notBefore.toString());
            }
            json.put("expires_at", entry.expiresAt().toString());
            json.put("reason", entry.reason());
            json.put("added_at", entry.addedAt().toString());
        }
        return json;
    }

    /** The changes of a line without its newline, or null if it is not one, whole and unchanged. */
    static @Nullable List<Change> decode(byte[] line) {
        if (!isFramed(line) || !hasItsCrc(line)) {
            return null;
        }
        try {
            var changes = new ArrayList<Change>();
            for (var json : JSON.readTree(line, LIST_START, line.length - LIST_START - 1)) {
                changes.add(change(json));
            }
            return changes;
        } catch (JacksonException | DateTimeException | IllegalArgumentException _) {
            return null;
        }
    }

    private static boolean isFramed(byte[] line) {
        return line.length > LIST_START
                && line[line.length - 1] == '}'
                && Arrays.equals(line, 0, PREFIX.length, PREFIX, 0, PREFIX.length)
                && Arrays.equals(line, PREFIX.length + CRC_LENGTH, LIST_START, MIDDLE, 0, MIDDLE.length);
    }

    private static boolean hasItsCrc(byte[] line) {
        var crc = crcOf(line, LIST_START, line.length - LIST_START - 1);
        return Arrays.equals(line, PREFIX.length, PREFIX.length + CRC_LENGTH, crc, 0, CRC_LENGTH);
    }

    private static byte[] crcOf(byte[] bytes, int from, int length) {
        var crc = new CRC32C();
        crc.update(bytes, from, length);
        return ascii(HexFormat.of().toHexDigits((int) crc.getValue()));
    }

    /**
     * Whether these bytes may be what a crash left of a line. A file system may also have made the file longer before it wrote what
     * belongs there: then there are zeros.
     */
    static boolean mayBeTorn(byte[] rest) {
        int begun = Math.min(rest.length, PREFIX.length);
        return Arrays.equals(rest, 0, begun, PREFIX, 0, begun) || rest[0] == 0;
    }

    private static Change change(JsonNode json) {
        var key = new DenyListKey(kind(text(json, "kind")), text(json, "iss"), text(json, "value"));
        return switch (text(json, "op")) {
            case "remove" -> new Change(key, null);
            case "put" -> {
                var notBefore = json.has("not_before") ? Instant.parse(text(json, "not_before")) : null;
                yield new Change(
                        key,
                        new DenyListEntry(
                                key,
                                notBefore,
                                Instant.parse(text(json, "expires_at")),
                                text(json, "reason"),
                                Instant.parse(text(json, "added_at"))));
            }
            default -> throw new IllegalArgumentException("op");
        };
    }

    private static String text(JsonNode json, String member) {
        var value = json.get(member);
        if (value == null || !value.isString()) {
            throw new IllegalArgumentException(member);
        }
        return value.stringValue();
    }

    private static DenyListKey.Kind kind(String claim) {
        for (var kind : DenyListKey.Kind.values()) {
            if (kind.claim().equals(claim)) {
                return kind;
            }
        }
        throw new IllegalArgumentException("kind");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
