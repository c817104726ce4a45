// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import io.netty.handler.codec.http.HttpHeaders;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The header fields that edge has let through. Names are compared without regard to case and walked in lower case; the lines of
 * a repeated field are one value, joined by comma as RFC 9110 section 5.3 has it.
 */
@SuppressWarnings("Immutable") // the fields do not change while a stage judges
final class HeadersView extends MapView {
    private final HttpHeaders headers;

    HeadersView(HttpHeaders headers) {
        this.headers = headers;
    }

    @Override
    @Nullable
    Object lookUp(String name) {
        var lines = headers.getAll(name);
        return switch (lines.size()) {
            case 0 -> null;
            case 1 -> lines.getFirst();
            default -> String.join(", ", lines);
        };
    }

    @Override
    Map<String, Object> whole() {
        var all = new LinkedHashMap<String, Object>();
        for (var line : headers) {
            all.merge(line.getKey().toLowerCase(Locale.ROOT), line.getValue(), (first, next) -> first + ", " + next);
        }
        return all;
    }
}
