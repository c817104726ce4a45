// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog.sink;

import java.io.IOException;

/**
 * A place that decision records are written to. Each has a queue and a writer thread of its own: only that thread calls this
 * sink, and a call that blocks or throws delays and loses records of this sink alone.
 */
public interface RecordSink {
    /** The name in metrics, health and logs, for example {@code file}; a short constant. */
    String name();

    /**
     * Writes one record, or nothing of it.
     *
     * @param line the record as one line of ASCII JSON, with its line end; not to be changed
     * @throws IOException if it is not written; the next one is tried all the same
     */
    void write(byte[] line) throws IOException;

    /** Makes durable what was written. Called about once a second after writes, and before {@link #close}. */
    void sync() throws IOException;

    /** Releases what the sink holds. Nothing is written afterwards. */
    void close() throws IOException;
}
