// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A final response, as far as it has been read, with the informational ones before it. */
final class Response {
    final List<Integer> informational = new ArrayList<>();
    final List<String> fields = new ArrayList<>();
    final List<String> trailers = new ArrayList<>();
    final ByteArrayOutputStream body = new ByteArrayOutputStream();
    int status;
    boolean http10;
    boolean untilClose;

    /** The value of that field, or null; lower case where it does not matter. */
    @Nullable
    String field(String name) {
        return valueIn(fields, name);
    }

    @Nullable
    String trailer(String name) {
        return valueIn(trailers, name);
    }

    private static @Nullable String valueIn(List<String> fields, String name) {
        String found = null;
        for (var field : fields) {
            int colon = field.indexOf(':');
            if (field.substring(0, colon).toLowerCase(Locale.ROOT).equals(name)) {
                if (found != null) {
                    throw new Violation("two fields " + name + ": " + fields);
                }
                found = field.substring(colon + 1).strip();
            }
        }
        return found;
    }

    private boolean connectionSays(String option) {
        var connection = field("connection");
        return connection != null && connection.toLowerCase(Locale.ROOT).contains(option);
    }

    boolean saysClose() {
        return connectionSays("close");
    }

    boolean saysKeepAlive() {
        return connectionSays("keep-alive");
    }

    /** Whether an upstream has given it, and not the gateway. */
    boolean isUpstreams() {
        return field("x-echo") != null;
    }

    @Override
    public String toString() {
        var text = body.toString(StandardCharsets.ISO_8859_1);
        return status + " " + fields + " " + (text.length() > 40 ? text.substring(0, 40) + "… " : text) + body.size()
                + " B";
    }
}
