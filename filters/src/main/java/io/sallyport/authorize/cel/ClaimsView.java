// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The claims of a verified token: a view, nothing is copied. */
@SuppressWarnings("Immutable") // the claims of a principal never change
final class ClaimsView extends MapView {
    private final Map<String, Object> claims;

    ClaimsView(Map<String, Object> claims) {
        this.claims = claims;
    }

    @Override
    @Nullable
    Object lookUp(String key) {
        return claims.get(key);
    }

    @Override
    Map<String, Object> whole() {
        return claims;
    }
}
