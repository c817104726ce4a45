// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import io.netty.util.NetUtil;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a record as one line: a JSON object of nested objects in the names of the Elastic Common Schema, {@code sallyport.*} for
 * what it has no name for. The line is pure ASCII, so that whatever a client sent, no reader sees a line end where there is
 * none. {@code docs/telemetry.md} lists the fields.
 */
final class EcsLine {
    private static final String ECS_VERSION = "8.11.0";
    private static final int LONGEST_TEXT = 1_024;
    private static final Pattern DOT = Pattern.compile("\\.");
    // Always three digits, so that lines sort by their text.
    private static final DateTimeFormatter TIMESTAMP =
            new DateTimeFormatterBuilder().appendInstant(3).toFormatter(Locale.ROOT);
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private final Pseudonyms pseudonyms;
    private final String serviceVersion;

    EcsLine(Pseudonyms pseudonyms, String serviceVersion) {
        this.pseudonyms = pseudonyms;
        this.serviceVersion = serviceVersion;
    }

    /** The line, with its end. */
    byte[] write(DecisionRecord record) {
        var json = JSON.writeValueAsBytes(fieldsOf(record));
        var line = Arrays.copyOf(json, json.length + 1);
        line[json.length] = '\n';
        return line;
    }

    private Map<String, Object> fieldsOf(DecisionRecord record) {
        var repeats = record.repeats();
        var fields = new Fields();
        fields.put("@timestamp", TIMESTAMP.format(record.last()));
        fields.put("ecs.version", ECS_VERSION);
        putEvent(fields, record);
        fields.put("service.name", "sallyport");
        fields.text("service.version", serviceVersion);
        fields.text("transaction.id", record.requestId().toString());
        putRequest(fields, record);
        putCaller(fields, record.caller());
        putGateway(fields, record);
        record.evidence().values().forEach((key, value) -> putEvidence(fields, key, value));
        if (repeats != null) {
            fields.put("sallyport.repeat_count", repeats.count());
        }
        return fields.tree();
    }

    private static void putEvent(Fields fields, DecisionRecord record) {
        var reason = record.reason();
        fields.put("event.id", idOf(record));
        fields.put("event.kind", "event");
        fields.put("event.category", categoryOf(reason));
        fields.put("event.type", List.of(record.kind().type()));
        fields.put("event.dataset", "sallyport.decisions");
        fields.put("event.action", record.kind().action());
        fields.put("event.outcome", record.kind().outcome());
        fields.text("event.reason", reason == null ? null : reason.code());
        var repeats = record.repeats();
        if (repeats == null) {
            fields.put("event.duration", record.durationNanos());
        } else {
            fields.put("event.start", TIMESTAMP.format(record.at()));
            fields.put("event.end", TIMESTAMP.format(repeats.last()));
        }
    }

    /** Unique among records, so that a receiver that gets a line twice keeps one: one request can leave several records. */
    private static String idOf(DecisionRecord record) {
        var id = new StringBuilder(record.requestId().toString());
        var reason = record.reason();
        if (record.kind() == DecisionRecord.Kind.WOULD_REFUSE
                || record.kind() == DecisionRecord.Kind.PASSED_UNDECIDED) {
            id.append("/would");
            if (reason != null) {
                id.append('/').append(reason.code());
            }
        }
        var repeats = record.repeats();
        if (repeats != null) {
            id.append(repeats.mark());
        }
        return id.toString();
    }

    private static List<String> categoryOf(@Nullable Reason reason) {
        if (reason == null) {
            return List.of("web");
        }
        return switch (reason.origin()) {
            case "authenticate", "revocation" -> List.of("authentication", "web");
            case "authorize", "risk" -> List.of("iam", "web");
            case "route", "forward" -> List.of("network", "web");
            default -> List.of("web");
        };
    }

    private static void putRequest(Fields fields, DecisionRecord record) {
        fields.text("http.request.method", record.method());
        fields.text("http.request.id", record.clientRequestId());
        if (record.status() != 0) {
            fields.put("http.response.status_code", record.status());
        }
        fields.text("url.domain", record.host());
        // The canonical path, never the query.
        var path = record.path();
        if (path != null) {
            fields.put("url.path", Text.wellFormed(Text.truncate(path, DecisionRecord.LONGEST_PATH)));
        }
        fields.text("user_agent.original", record.userAgent());
        var protocol = record.tlsProtocol();
        if (protocol != null) {
            fields.text("tls.version", protocol.startsWith("TLSv") ? protocol.substring("TLSv".length()) : protocol);
            fields.put("tls.version_protocol", "tls");
            fields.text("tls.client.server_name", record.serverName());
        }
    }

    private void putCaller(Fields fields, DecisionRecord.Caller caller) {
        fields.put("source.ip", NetUtil.toAddressString(caller.source()));
        var issuer = caller.issuer();
        var subject = caller.subject();
        if (issuer != null && subject != null) {
            fields.put("user.id", pseudonyms.of(issuer, subject));
        }
        fields.text("sallyport.issuer", caller.issuerName());
        fields.text("sallyport.client_id", clientOf(caller));
        var tokenId = caller.tokenId();
        if (tokenId != null) {
            fields.put("sallyport.jti_hash", Pseudonyms.ofTokenId(tokenId));
        }
        fields.text("sallyport.client_spiffe_id", caller.spiffeId());
    }

    /** A client that acts for itself is its token's subject, and that is never told. */
    private @Nullable String clientOf(DecisionRecord.Caller caller) {
        var client = caller.clientId();
        var issuer = caller.issuer();
        return client != null && issuer != null && client.equals(caller.subject())
                ? pseudonyms.of(issuer, client)
                : client;
    }

    private static void putGateway(Fields fields, DecisionRecord record) {
        fields.text("sallyport.route", record.route());
        fields.put("sallyport.mode", record.mode().name().toLowerCase(Locale.ROOT));
        var reason = record.reason();
        if (reason != null) {
            fields.put("sallyport.stage", reason.origin());
            if (record.kind() == DecisionRecord.Kind.WOULD_REFUSE
                    || record.kind() == DecisionRecord.Kind.PASSED_UNDECIDED) {
                fields.put("sallyport.would.status", reason.status());
                fields.put("sallyport.would.reason", reason.code());
            }
        }
        fields.list(
                "sallyport.reasons", record.reasons().stream().map(Reason::code).toList());
        fields.text("sallyport.config_revision", record.revision());
        if (record.risk().value() > 0) {
            fields.put("sallyport.risk.score", record.risk().value());
            fields.list("sallyport.risk.reasons", record.risk().reasons());
        }
    }

    private static void putEvidence(Fields fields, Evidence.Key key, String value) {
        if (key == Evidence.Key.RULE_NAME) {
            fields.list(key.field(), List.of(value.split(",", -1)));
        } else {
            fields.text(key.field(), value);
        }
    }

    /** Collects fields by their dotted names into nested objects. */
    private static final class Fields {
        private final Map<String, Object> tree = new LinkedHashMap<>();

        /** Puts a value that is ours: a number, a list, a text of this class. */
        void put(String name, Object value) {
            var object = tree;
            var path = DOT.split(name, -1);
            for (int i = 0; i < path.length - 1; i++) {
                object = child(object, path[i]);
            }
            object.put(path[path.length - 1], value);
        }

        /** Puts a text that may be anybody's; nothing if it is null. */
        void text(String name, @Nullable String value) {
            if (value != null) {
                put(name, fit(value));
            }
        }

        void list(String name, List<String> values) {
            if (!values.isEmpty()) {
                put(name, values.stream().map(Fields::fit).toList());
            }
        }

        private static String fit(String value) {
            return Text.wellFormed(Text.truncate(value, LONGEST_TEXT));
        }

        @SuppressWarnings("unchecked") // only put() puts objects there, and no field is both a value and an object
        private static Map<String, Object> child(Map<String, Object> object, String name) {
            return (Map<String, Object>) object.computeIfAbsent(name, _ -> new LinkedHashMap<String, Object>());
        }

        Map<String, Object> tree() {
            return tree;
        }
    }
}
