// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of the query, decoded as of a form. One that occurs more than once is there but cannot be read: which of its
 * values the upstream takes is anybody's guess, and a rule must not guess.
 */
@SuppressWarnings("Immutable") // filled once, never changed
final class QueryView extends MapView {
    private final Map<String, List<String>> parameters;

    /** @param query as received, without the question mark */
    QueryView(@Nullable String query) {
        // No limit on the number of parameters: one beyond it would be there for the upstream and not for a deny rule.
        // The length of the request line is limited.
        this.parameters = query == null
                ? Map.of()
                : new QueryStringDecoder(query, StandardCharsets.UTF_8, false, Integer.MAX_VALUE, true).parameters();
    }

    @Override
    @Nullable
    Object lookUp(String name) {
        var values = parameters.get(name);
        if (values == null) {
            return null;
        }
        if (values.size() > 1) {
            throw UnreadableMember.repeated();
        }
        return values.getFirst();
    }

    @Override
    public boolean containsKey(@Nullable Object name) {
        return parameters.containsKey(name);
    }

    @Override
    Map<String, Object> whole() {
        var all = new LinkedHashMap<String, Object>();
        // A repeated one stays a list, so that it equals no single value.
        parameters.forEach((name, values) -> all.put(name, values.size() == 1 ? values.getFirst() : values));
        return all;
    }
}
