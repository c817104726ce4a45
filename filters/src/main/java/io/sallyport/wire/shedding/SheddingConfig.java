// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.shedding;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.time.Duration;

/** When the gateway is too busy to take every request: section {@code listener.shedding}. */
public record SheddingConfig(
        @Setting(
                value =
                        "How late an event loop may be, again and again, before requests are answered 503 on it: as many as it takes to be in time again. 10ms to 1m.",
                byDefault = "500ms")
        Duration eventLoopLag,

        @Setting(
                value =
                        "How much of the heap may be in use after a garbage collection, or of the memory for network buffers at any time, "
                                + "before nearly all requests are answered 503; in percent, 50 to 100.",
                byDefault = "90")
        int memory) {

    public SheddingConfig {
        if (eventLoopLag.compareTo(Duration.ofMillis(10)) < 0 || eventLoopLag.compareTo(Duration.ofMinutes(1)) > 0) {
            throw new InvalidSetting("event-loop-lag", eventLoopLag, "10ms to 1m");
        }
        if (memory < 50 || memory > 100) {
            throw new InvalidSetting("memory", memory, "50 to 100");
        }
    }
}
