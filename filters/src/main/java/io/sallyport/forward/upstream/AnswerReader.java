// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import org.jspecify.annotations.Nullable;

/** What makes answers of an upstream's bytes, and the part of it that the messages alone do not tell. */
interface AnswerReader {
    /** Whether the next answer is one to a HEAD, which has no body whatever its head says. */
    void expectAnswerToHead(boolean toHead);

    /** Whether anything of an answer has come since then, be it one byte. */
    boolean hasBegun();

    /** Whether there are bytes that belong to no message yet. */
    boolean hasBytesLeft();

    /** What is wrong with a line of a head, the one that was passed on last or an earlier one; or null. */
    @Nullable
    String malformed();
}
