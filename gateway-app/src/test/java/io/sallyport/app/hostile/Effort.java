// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import java.util.Locale;

/** How much of the corpus is sent: {@code -Dsallyport.hostile.effort}. */
enum Effort {
    /** Each input once, on one way forward or the other: what {@code mvn verify} does. */
    SHORT,
    /** Each input on both ways forward, and random ones at length: what {@code make hostile} does. */
    ALL;

    static Effort current() {
        return valueOf(
                System.getProperty("sallyport.hostile.effort", SHORT.name()).toUpperCase(Locale.ROOT));
    }
}
