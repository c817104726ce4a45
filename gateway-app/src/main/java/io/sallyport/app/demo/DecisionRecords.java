// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads the gateway's decision log as a shipper does: from the file, as it grows. Not for several threads. */
public final class DecisionRecords {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration PAUSE = Duration.ofMillis(20);

    private final Path file;
    private final List<Decision> seen = new ArrayList<>();
    private long offset;

    public DecisionRecords(Path file) {
        this.file = file;
    }

    /** One line of the log. */
    public record Decision(JsonNode json) {
        /** A field by its ECS name, such as {@code event.reason}; null if it is absent. */
        public @Nullable String field(String name) {
            var flat = json.get(name);
            var node = flat != null ? flat : json.at("/" + name.replace('.', '/'));
            if (node.isMissingNode() || node.isNull()) {
                return null;
            }
            return node.isValueNode() ? node.asString() : node.toString();
        }
    }

    /** What has been written since the last call, complete lines only. */
    public List<Decision> poll() throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        var added = new ArrayList<Decision>();
        try (var log = new RandomAccessFile(file.toFile(), "r")) {
            if (log.length() < offset) {
                offset = 0; // rotated
            }
            log.seek(offset);
            var bytes = new byte[(int) Math.min(log.length() - offset, 1 << 24)];
            log.readFully(bytes);
            int start = 0;
            for (int i = 0; i < bytes.length; i++) {
                if (bytes[i] == '\n') {
                    added.add(new Decision(JSON.readTree(new String(bytes, start, i - start, StandardCharsets.UTF_8))));
                    start = i + 1;
                }
            }
            offset += start;
        }
        seen.addAll(added);
        return added;
    }

    /**
     * The record of a request, as soon as it has been written.
     *
     * @return null if it has not been within {@code patience}
     */
    public @Nullable Decision await(String requestId, Duration patience) throws IOException, InterruptedException {
        var deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            poll();
            for (var decision : seen) {
                if (requestId.equals(decision.field(REQUEST_ID))) {
                    return decision;
                }
            }
            if (System.nanoTime() > deadline) {
                return null;
            }
            Thread.sleep(PAUSE);
        }
    }

    /** The field that holds what the client sees as {@code X-Request-ID}. */
    public static final String REQUEST_ID = "transaction.id";
}
