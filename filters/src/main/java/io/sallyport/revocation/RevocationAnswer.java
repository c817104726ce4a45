// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the deny-list's API answers, for whoever speaks HTTP.
 *
 * @param status 200, 201 or 204; else a problem (RFC 9457): 400, 404, 503 or 507
 * @param body JSON: strings, numbers, booleans, lists and maps of these; empty for 204
 */
public record RevocationAnswer(int status, Map<String, Object> body) {
    public RevocationAnswer {
        body = Collections.unmodifiableMap(new LinkedHashMap<>(body));
    }

    /** Whether the body is an {@code application/problem+json}. */
    public boolean isProblem() {
        return status >= 400;
    }
}
