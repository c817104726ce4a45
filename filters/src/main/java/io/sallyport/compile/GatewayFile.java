// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.config.Setting;
import java.util.List;

/** The whole file: one key. */
public record GatewayFile(
        @Setting("Everything that the gateway is told.") GatewaySettings sallyport) {
    /** The keys below {@code sallyport}. */
    public static final List<String> SECTIONS = List.of(
            "listener", "internal-listener", "management", "identity", "issuers", "stages", "decision-log", "routes");
}
