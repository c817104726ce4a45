// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

/** The two ways forward: which one a request takes, its host decides. Both hosts have the same routes. */
enum Way {
    DIRECT("direct.test"),
    THROUGH_FILTERS("filtered.test");

    private final String host;

    Way(String host) {
        this.host = host;
    }

    String host() {
        return host;
    }
}
