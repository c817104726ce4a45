// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

/** The two ways forward: which one a request takes, its host decides. Both hosts have the same routes. */
enum Way {
    DIRECT("direct.test", "localhost"),
    THROUGH_FILTERS("filtered.test", "127.0.0.1");

    private final String host;
    private final String resolvable;

    Way(String host, String resolvable) {
        this.host = host;
        this.resolvable = resolvable;
    }

    String host() {
        return host;
    }

    /** Another name of the same host, for clients that want to look it up. */
    String resolvable() {
        return resolvable;
    }
}
