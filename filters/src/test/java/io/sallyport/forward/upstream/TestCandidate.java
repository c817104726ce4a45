// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

/** Candidate pins for tests of what decides. */
final class TestCandidate {
    private TestCandidate() {}

    /** Says nothing. */
    static CandidatePin none() {
        return new CandidatePin("", PeerProof.NOBODY, () -> null, new SimpleMeterRegistry());
    }
}
