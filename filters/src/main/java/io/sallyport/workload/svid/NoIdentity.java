// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.svid;

import java.time.Instant;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** For a file without {@code identity}, which has no route that would need one. */
public final class NoIdentity implements SvidSource {
    @Override
    public @Nullable WorkloadIdentity current() {
        return null;
    }

    @Override
    public @Nullable Instant receivedAt() {
        return null;
    }

    @Override
    public void onUpdate(Consumer<@Nullable WorkloadIdentity> listener) {}

    @Override
    public void close() {}
}
