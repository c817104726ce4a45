// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import java.io.IOException;
import java.io.PrintStream;

/**
 * Standard output, for containers whose output is collected. The same stream that the process's log is written to, so that
 * lines of the two never mix.
 */
final class StandardOutput implements LineSink {
    private final PrintStream out;

    StandardOutput(PrintStream out) {
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
