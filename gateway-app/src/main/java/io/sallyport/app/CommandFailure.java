// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

/** A command cannot do what it was asked for; the message is for whoever asked, and says all. */
final class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CommandFailure(String message) {
        super(message, null, false, false);
    }

    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
