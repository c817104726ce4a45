// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.sallyport.wire.tls.RenewedTls;
import org.jspecify.annotations.Nullable;

/**
 * The TLS of the management port, made before any port is open, so that a certificate that cannot be used stops the start.
 *
 * @param context null for plaintext
 */
public record ManagementTls(@Nullable RenewedTls context) implements AutoCloseable {
    @Override
    public void close() {
        if (context != null) {
            context.close();
        }
    }
}
