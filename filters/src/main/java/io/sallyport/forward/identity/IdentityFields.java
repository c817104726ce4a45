// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import io.sallyport.config.Findings;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.forward.upstream.FieldNames;
import io.sallyport.identity.FoldedName;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.pipeline.RequestContext;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The header fields by which a route tells its upstream who called, compiled. Safe for use by every event loop at once. */
public final class IdentityFields {
    /** Of one field's value, encoded. More than that breaks the limits of many servers. */
    static final int MOST_BYTES = 4_096;

    /** Beyond what every operator's header may not be: fields of one connection, and those that the gateway writes itself. */
    private static final FieldNames NOT_TO_BE_WRITTEN = FieldNames.of(
            "http2-settings",
            "keep-alive",
            "max-forwards",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "txn-token",
            "upgrade",
            "via",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-prefix",
            "x-forwarded-proto",
            "x-request-id");

    private static final List<String> NO_BEGINNINGS = List.of("sec-websocket-", "x-http2-", "x-sallyport-");

    private static final Denial TOO_LARGE = new Denial.Forbidden(Reason.FORWARD_IDENTITY_TOO_LARGE);
    private static final Denial UNDETERMINED = new Denial.Forbidden(Reason.FORWARD_IDENTITY_UNDETERMINED);

    private final List<Field> fields;

    private record Field(AsciiString name, Expression value, IdentityFieldConfig.Type type, FieldEncoding encoding) {}

    private IdentityFields(List<Field> fields) {
        this.fields = List.copyOf(fields);
    }

    /**
     * Compiles a route's section {@code headers}.
     *
     * @return null if there are none, or, with a finding for each, if some are wrong
     */
    public static @Nullable IdentityFields compile(
            Map<String, IdentityFieldConfig> headers, Expression.Compiler expressions, Findings.Place at) {
        var fields = new ArrayList<Field>();
        var names = new HashMap<String, String>();
        headers.forEach((name, config) -> {
            var place = at.child(name);
            var other = names.putIfAbsent(FoldedName.of(name), name);
            if (!mayBeWritten(name)) {
                place.reject(
                        name,
                        "the name of a header of letters, digits and dashes that is no credential, frames no message, and is not the"
                                + " gateway's own");
            } else if (other != null) {
                place.reject(name, "another name than %s, which many upstreams read as the same".formatted(other));
            }
            var value = expressions.compile(config.value(), place.child("value"));
            if (value != null) {
                fields.add(new Field(AsciiString.cached(name), value, config.type(), config.encoding()));
            }
        });
        return fields.isEmpty() ? null : new IdentityFields(fields);
    }

    /** Whether an operator may write that header, or let clients write it: it is neither a credential nor the gateway's own. */
    public static boolean mayBeWritten(String name) {
        var folded = FoldedName.of(name);
        return IdentityHeaders.mayBeAdded(name)
                && !NOT_TO_BE_WRITTEN.contains(folded)
                && NO_BEGINNINGS.stream().noneMatch(folded::startsWith);
    }

    /**
     * Writes the fields of one request.
     *
     * @param out nothing under these names is in it
     * @return why the request cannot be forwarded, or null
     */
    public @Nullable Denial write(RequestContext context, HttpHeaders out) {
        for (int i = 0; i < fields.size(); i++) {
            var field = fields.get(i);
            try {
                var value = field.value().of(context);
                var text = value == null ? null : textOf(value, field);
                if (text == null) {
                    continue;
                }
                if (text.length() > MOST_BYTES) {
                    return TOO_LARGE.with(
                            Evidence.Key.DETAIL,
                            "%s: %d bytes (at most %d)".formatted(field.name(), text.length(), MOST_BYTES));
                }
                out.set(field.name(), text);
            } catch (Expression.Undetermined e) {
                return UNDETERMINED.with(Evidence.Key.DETAIL, field.name() + ": " + e.getMessage());
            }
        }
        return null;
    }

    /** The field's value, ASCII; null if there is to be none. */
    private static @Nullable String textOf(Object value, Field field) throws Expression.Undetermined {
        var text = new StringBuilder();
        if (!(value instanceof List<?> list)) {
            field.encoding().append(scalar(value), text);
            return text.toString();
        }
        if (field.type() != IdentityFieldConfig.Type.LIST) {
            throw new Expression.Undetermined("a list (expected: a string, boolean or number, or type: list)");
        }
        for (int i = 0; i < list.size(); i++) {
            var element = scalar(list.get(i));
            if (element.isEmpty()) {
                // Readers of lists skip it (RFC 9110 section 5.6.1.2): they would not read what the token says.
                throw new Expression.Undetermined("an empty element");
            }
            if (i > 0) {
                text.append(',');
            }
            field.encoding().append(element, text);
        }
        return list.isEmpty() ? null : text.toString();
    }

    private static String scalar(@Nullable Object value) throws Expression.Undetermined {
        return switch (value) {
            case String text -> text;
            case Boolean truth -> truth.toString();
            // As JSON had it: 3.0 is 3.
            case Double number
            when number == Math.rint(number) && Math.abs(number) < 1L << 53 -> Long.toString(number.longValue());
            case Number number -> number.toString();
            case Instant instant -> instant.toString();
            case null, default -> throw new Expression.Undetermined("neither a string nor a boolean nor a number");
        };
    }
}
