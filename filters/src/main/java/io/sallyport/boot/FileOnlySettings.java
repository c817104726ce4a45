// SPDX-License-Identifier: Apache-2.0
package io.sallyport.boot;

import io.sallyport.config.Findings;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.StandardEnvironment;

/**
 * Refuses every property, argument and environment variable that a reader could take for a setting of the gateway: the file is
 * the truth (ADR 0006), so whoever sets one elsewhere must hear that it does nothing.
 */
final class FileOnlySettings {
    /** Names the file: the one property of the gateway that is not in it. */
    static final String FILE = "sallyport.config";

    private static final String PREFIX = "sallyport.";

    // Kubernetes puts SALLYPORT_MANAGEMENT_SERVICE_HOST, ..._PORT and ..._PORT_8444_TCP_ADDR into
    // the environment of every pod beside a service of that name; nobody wrote them to set anything.
    private static final Pattern SERVICE_LINK = Pattern.compile(
            "(.+?)(?:_SERVICE_HOST|_SERVICE_PORT(?:_[A-Z0-9_]+)?|_PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_.+)?)?)");

    private FileOnlySettings() {}

    static void check(ConfigurableEnvironment environment, List<String> sections, Findings findings) {
        for (var source : environment.getPropertySources()) {
            if (source instanceof EnumerablePropertySource<?> enumerable
                    && !source.getName().equals("configurationProperties")) {
                var variables = variables(enumerable);
                for (var name : enumerable.getPropertyNames()) {
                    var section = sectionOf(name, sections);
                    if (section.isEmpty() || isServiceLink(name, variables)) {
                        continue;
                    }
                    findings.at(name)
                            .reject("set by " + source.getName(), "the key %s in the file alone".formatted(section));
                }
            }
        }
    }

    private static Set<String> variables(EnumerablePropertySource<?> source) {
        return source.getName().equals(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME)
                ? Set.of(source.getPropertyNames())
                : Set.of();
    }

    /** The section that the name would set by the rules of Spring Boot's relaxed binding, or nothing. */
    private static String sectionOf(String name, List<String> sections) {
        var canonical = name.toLowerCase(Locale.ROOT).replace('_', '.');
        if (!canonical.startsWith(PREFIX)) {
            return "";
        }
        var key = letters(canonical.substring(PREFIX.length()));
        return sections.stream()
                .filter(section -> key.startsWith(letters(section)))
                .map(section -> PREFIX + section)
                .findFirst()
                .orElse("");
    }

    private static String letters(String name) {
        return name.replaceAll("[^a-z0-9]", "");
    }

    private static boolean isServiceLink(String name, Set<String> variables) {
        var link = SERVICE_LINK.matcher(name);
        return link.matches()
                && variables.contains(link.group(1) + "_SERVICE_HOST")
                && variables.contains(link.group(1) + "_SERVICE_PORT");
    }
}
