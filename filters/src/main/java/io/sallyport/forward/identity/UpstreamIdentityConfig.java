// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import io.sallyport.config.Setting;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Section {@code upstream.identity}: what the upstream is told of the caller. */
public record UpstreamIdentityConfig(
        @Setting(
                value =
                        "Header fields by their names. A name that any route has here is removed from every request of every client.",
                byDefault = "{}")
        Map<String, IdentityFieldConfig> headers,

        @Setting(
                "A signed token about the caller for this upstream, in X-Sallyport-Assertion: ES256, typ sallyport-assertion+jwt. Needs"
                        + " signing.")
        @Nullable
        AssertionConfig assertion,

        @Setting(
                "A transaction token (OAuth draft) for the gateway's trust domain, in Txn-Token: ES256, typ txntoken+jwt. Needs signing and"
                        + " identity.")
        @Nullable
        TxnTokenConfig txnToken) {
    public UpstreamIdentityConfig {
        headers = Collections.unmodifiableMap(new LinkedHashMap<>(headers));
    }
}
