// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How long tokens live, by issuer, as the present configuration says. */
@FunctionalInterface
public interface IssuerLifetimes {
    /**
     * The longest that a token of this issuer is accepted after its {@code iat}, clock skew included.
     *
     * @param issuer an exact {@code iss}
     * @return null if no such issuer is configured
     */
    @Nullable
    Duration longest(String issuer);
}
