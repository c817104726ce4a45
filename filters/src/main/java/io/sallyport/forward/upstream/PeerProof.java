// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.identity.ExpectedIds;
import java.util.Set;

/**
 * What an upstream has to prove before the first byte of a request is sent. A connection is shared only by routes that ask for the
 * same proof.
 */
public sealed interface PeerProof {
    /** ExpectedIds that match nobody. */
    ExpectedIds NOBODY = ExpectedIds.of(Set.of());

    /** What records and metrics call it. */
    String text();

    /** SPIFFE IDs that are checked in each handshake and only reported; empty for none. */
    ExpectedIds candidates();

    /** Whether a connection needs the gateway's own X509-SVID, or the bundles that come with it. */
    boolean needsIdentity();

    /** Nothing: plaintext, because the operator wrote {@code insecure-plaintext}. */
    enum Nothing implements PeerProof {
        NOTHING;

        @Override
        public String text() {
            return "";
        }

        @Override
        public ExpectedIds candidates() {
            return NOBODY;
        }

        @Override
        public boolean needsIdentity() {
            return false;
        }
    }

    /**
     * One of these SPIFFE IDs, over mutual TLS.
     *
     * @param expected not empty
     */
    record Workload(ExpectedIds expected, ExpectedIds candidates) implements PeerProof {
        public Workload {
            if (expected.isEmpty()) {
                throw new IllegalArgumentException("expected IDs: none (expected: at least one)");
            }
        }

        public Workload(ExpectedIds expected) {
            this(expected, NOBODY);
        }

        @Override
        public String text() {
            return expected.toString();
        }

        @Override
        public boolean needsIdentity() {
            return true;
        }

        /** Of what differs: looked up for each request, and the text remembers its own. */
        @Override
        public int hashCode() {
            return expected.hashCode();
        }
    }

    /**
     * A certificate for that DNS name from an authority that the route names.
     *
     * @param serverName in lower case
     * @param showsSvid whether the gateway shows its X509-SVID; if not, it shows the certificate of the files, if they have one
     * @param spki the keys that it may have; empty for any
     */
    record Named(
            TlsFiles files,
            String serverName,
            boolean wildcard,
            boolean showsSvid,
            Set<SpkiPin> spki,
            ExpectedIds candidates)
            implements PeerProof {
        public Named {
            spki = Set.copyOf(spki);
        }

        /** The same, from those files. */
        Named reading(TlsFiles files) {
            return new Named(files, serverName, wildcard, showsSvid, spki, candidates);
        }

        @Override
        public String text() {
            return serverName;
        }

        @Override
        public boolean needsIdentity() {
            return showsSvid || !candidates.isEmpty();
        }

        /** Of what differs, as above. */
        @Override
        public int hashCode() {
            return serverName.hashCode();
        }
    }
}
