// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.token;

import io.sallyport.authenticate.jose.StrictJson;
import io.sallyport.authenticate.token.OpaqueTokenSource.Introspected;
import org.jspecify.annotations.Nullable;

/**
 * Reads an introspection response (RFC 7662 section 2.2) as strictly as a token: one JSON object, no member twice. Whatever does
 * not say {@code active} in so many words says nothing.
 */
public final class IntrospectionResponse {
    /** Of one response. */
    public static final int MAX_BYTES = 64 * 1024;

    private IntrospectionResponse() {}

    /**
     * Reads one.
     *
     * @return null if it is no introspection response
     */
    public static @Nullable Introspected parse(byte[] utf8, ClaimReading reading) {
        var members = StrictJson.parseObject(utf8);
        if (members == null || !(members.get("active") instanceof Boolean active)) {
            return null;
        }
        return active
                ? new Introspected.Active(TokenClaims.ofIntrospection(members, reading))
                : Introspected.Word.INACTIVE;
    }
}
