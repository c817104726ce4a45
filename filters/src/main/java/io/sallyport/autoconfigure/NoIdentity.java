// SPDX-License-Identifier: Apache-2.0
package io.sallyport.autoconfigure;

import io.sallyport.forward.svid.SvidSource;
import io.sallyport.forward.svid.WorkloadIdentity;
import java.time.Instant;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** For a file without {@code identity}, which has no route that would need one. */
final class NoIdentity implements SvidSource {
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
