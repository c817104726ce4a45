// SPDX-License-Identifier: Apache-2.0
package io.sallyport.files;

import java.nio.file.Path;
import java.time.Instant;

/**
 * How one file differs from what the listener was last told of it.
 *
 * @param seenAt when the watch first saw the file as it is now
 */
public record FileChange(Path file, Kind kind, Instant seenAt) {

    public enum Kind {
        /** The file could not be read before, and can be now. */
        APPEARED,
        /** The file could be read before, and cannot be now: it is gone, or access is denied. */
        UNREADABLE,
        /** Another file has the name now: a rename, or a symbolic link above it that was swapped. */
        REPLACED,
        /**
         * The same file has other content: somebody wrote into it. Also said of a file that has the name anew and was written into
         * since then; and of a replaced file if the file system gave it the identity of a file that was deleted before, or has no
         * identities.
         */
        REWRITTEN
    }
}
