// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.health.actuate.endpoint.CompositeHealthDescriptor;
import org.springframework.boot.health.actuate.endpoint.HealthDescriptor;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.actuate.endpoint.IndicatedHealthDescriptor;
import org.springframework.boot.health.contributor.Status;

/** Logs why the gateway is not ready, once for each set of reasons, and when it is. For one thread. */
public final class ReadinessLog {
    private static final Logger log = LoggerFactory.getLogger(ReadinessLog.class);

    private static final String GROUP = "readiness";

    private final HealthEndpoint health;
    /** The components that were not up at the last look; null before the first. */
    private @Nullable Set<String> said;

    public ReadinessLog(HealthEndpoint health) {
        this.health = health;
    }

    /** Asks what the probe asks. */
    public void look() {
        var down = new TreeMap<String, String>();
        var components =
                health.healthForPath(GROUP) instanceof CompositeHealthDescriptor group ? group.getComponents() : null;
        if (components != null) {
            components.forEach((name, component) -> {
                if (!component.getStatus().equals(Status.UP)) {
                    down.put(name, described(component));
                }
            });
        }
        if (down.keySet().equals(said)) {
            return;
        }
        said = Set.copyOf(down.keySet());
        if (down.isEmpty()) {
            log.atInfo().log("ready");
        } else {
            log.atWarn()
                    .log(
                            "not ready because {}",
                            down.entrySet().stream()
                                    .map(entry -> entry.getKey() + ": " + entry.getValue())
                                    .collect(Collectors.joining("; ")));
        }
    }

    private static String described(HealthDescriptor component) {
        return component instanceof IndicatedHealthDescriptor indicated
                        && !indicated.getDetails().isEmpty()
                ? indicated.getDetails().toString()
                : component.getStatus().getCode();
    }
}
