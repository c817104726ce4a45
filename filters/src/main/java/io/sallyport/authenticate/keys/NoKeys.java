// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** For issuers that are not asked for keys. */
public enum NoKeys implements JwkSetSource {
    NO_KEYS;

    @Override
    public @Nullable JwkSet current(Instant now) {
        return null;
    }

    @Override
    public Refresh refresh(@Nullable String kid, Instant now) {
        return Refresh.Done.UNAVAILABLE;
    }
}
