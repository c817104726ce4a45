// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Findings;
import org.jspecify.annotations.Nullable;

/**
 * Where the configuration comes from: a file. A folder or an API server would be another implementation.
 *
 * <p>A source reads and binds; it compiles nothing. What is right by itself may be wrong together: {@link SnapshotCompiler} finds
 * that.
 */
public interface ConfigurationSource extends AutoCloseable {

    /** What an operator calls this source, for findings: the path of the file. */
    String name();

    /**
     * Reads the whole configuration as it is now. Blocks.
     *
     * @param before what is in force, which this source has read; null at start. A route that says what it said is the same object
     *     in both.
     * @return null with findings, or if there are findings good for nothing but to find more
     */
    @Nullable
    Configuration read(@Nullable Configuration before, Findings findings);

    /** Calls {@code changed} whenever {@link #read} may say something new. One call at a time, on a thread of the source's. */
    void follow(Runnable changed);

    /** Why this source cannot be read now, for health; null if it can. What is in force stays in force meanwhile. */
    @Nullable
    String problem();

    /** Follows no more. A call that is under way is interrupted. */
    @Override
    void close();
}
