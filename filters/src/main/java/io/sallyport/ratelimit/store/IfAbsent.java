// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit.store;

/** What becomes of a caller who does not have the claim that a limit counts by. */
public enum IfAbsent {
    /** Refused: nobody is counted together with strangers, and none escapes the limit. */
    REFUSE,
    /** Counted by the client's address. */
    ADDRESS
}
