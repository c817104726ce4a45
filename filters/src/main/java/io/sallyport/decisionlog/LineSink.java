// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import java.io.IOException;

/** Where lines of the decision log go. Used by its one writer thread, and allowed to block it. */
interface LineSink {
    /** As metrics and health call it: {@code file}. */
    String name();

    /**
     * Writes one line, with its end, or nothing of it.
     *
     * @throws IOException if it is not written; the next line is tried all the same
     */
    void write(byte[] line) throws IOException;

    /** Forces what was written to the disk, if there is one. */
    void sync() throws IOException;

    void close() throws IOException;
}
