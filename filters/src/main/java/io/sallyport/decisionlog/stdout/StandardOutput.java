// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog.stdout;

import io.sallyport.decisionlog.sink.RecordSink;
import java.io.IOException;
import java.io.PrintStream;

/**
 * Standard output, for containers whose output is collected. A reader that stops reading blocks {@link #write} until it goes on.
 */
public final class StandardOutput implements RecordSink {
    private final PrintStream out;

    public StandardOutput(PrintStream out) {
        this.out = out;
    }

    @Override
    public String name() {
        return "stdout";
    }

    @Override
    public void write(byte[] line) throws IOException {
        out.write(line, 0, line.length);
        if (out.checkError()) {
            throw new IOException("standard output is closed or full");
        }
    }

    @Override
    public void sync() {}

    @Override
    public void close() {}
}
