// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Section {@code signing}: the keys by which the gateway signs what it tells upstreams of callers. */
public record SigningConfig(
        @Setting(
                "PEM files with private keys of the curve P-256, the same for all replicas; read again when they change. The first one signs."
                        + " The public keys of all are published at /.well-known/sallyport/jwks.json.")
        List<Path> keys,

        @Setting("The iss of what is signed. Without it the gateway's SPIFFE ID; required where there is no identity.")
        @Nullable
        String issuer) {
    public SigningConfig {
        keys = List.copyOf(keys);
        if (keys.isEmpty()) {
            throw new InvalidSetting("keys", "[]", "at least one file");
        }
    }
}
