// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import org.jspecify.annotations.Nullable;

/** The trust bundles that hold now, from memory. Safe for use by any thread. */
@FunctionalInterface
public interface TrustBundleSource {
    /** The latest; the same object for as long as they say the same. Null if there are none: then nobody can be verified. */
    @Nullable
    TrustBundles bundles();
}
