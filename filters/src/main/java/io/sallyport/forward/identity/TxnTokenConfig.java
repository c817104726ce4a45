// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.time.Duration;

/** Section {@code upstream.identity.txn-token}: a transaction token (OAuth draft), in {@code Txn-Token}. */
public record TxnTokenConfig(
        @Setting(value = "How long a token is valid, 5s to 60s.", byDefault = "60s")
        Duration lifetime) {
    public TxnTokenConfig {
        if (lifetime.compareTo(Duration.ofSeconds(5)) < 0 || lifetime.compareTo(Duration.ofSeconds(60)) > 0) {
            throw new InvalidSetting("lifetime", lifetime, "5s to 60s");
        }
    }
}
