// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

/** What was seen on a connection is not what the model allows. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Violation(String what) {
        super(what, null, false, false);
    }
}
