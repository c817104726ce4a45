// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import io.sallyport.workload.svid.SvidSource;
import io.sallyport.workload.svid.WorkloadIdentity;
import org.jspecify.annotations.Nullable;

/** Who signs tokens about callers: the gateway, by its keys of now and under its name. Safe for use by any thread. */
public final class TokenIssuer implements AutoCloseable {
    private final @Nullable SigningKeys keys;
    private final @Nullable String name;
    private final SvidSource identities;

    /**
     * Makes the one of the process.
     *
     * @param keys null if the file has no section {@code signing}: then no route asks for a token
     * @param name the {@code iss}; null for the gateway's SPIFFE ID
     */
    public TokenIssuer(@Nullable SigningKeys keys, @Nullable String name, SvidSource identities) {
        this.keys = keys;
        this.name = name;
        this.identities = identities;
    }

    @Nullable
    SigningKeys keys() {
        return keys;
    }

    /** The gateway's own identity of now, or null if it has none. */
    @Nullable
    WorkloadIdentity identity() {
        return identities.current();
    }

    /** The {@code iss}, or null if the gateway has no name now. */
    @Nullable
    String name() {
        if (name != null) {
            return name;
        }
        var identity = identities.current();
        return identity == null ? null : identity.id().toString();
    }

    /** The key set that upstreams verify by, as JSON; the caller does not change it. */
    public byte[] keySet() {
        return keys == null ? new byte[0] : keys.json();
    }

    @Override
    public void close() {
        if (keys != null) {
            keys.close();
        }
    }
}
