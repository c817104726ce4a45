// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.authenticate.issuer.Issuer;
import java.util.Collection;

/** Has key sets of issuers fetched before they are needed, and forgets those that are no longer. */
public interface KeySets {
    /** Begins to have each of them fetched, and returns at once. */
    void prefetch(Collection<Issuer> issuers);

    /**
     * Waits until each of them has a key set, or has failed to get one within its time-out. An issuer that cannot be reached
     * does not keep a configuration from being applied: its tokens get 503 until it can be.
     */
    void await(Collection<Issuer> issuers);

    /** Forgets the key sets of all others. */
    void retain(Collection<Issuer> issuers);
}
