// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The {@code authorize} section of a route: the word {@code public}, or scopes and rules with at least one under {@code
 * allow}. Rules keep the order of the file.
 */
public record RouteAuthorization(
        @Setting(
                value = "Scopes that the caller's token must hold, all of them, before any rule is asked.",
                byDefault = "[]")
        List<String> scopes,

        @Setting(
                value = "Named CEL expressions that answer true or false; one that is true allows. At least one. "
                        + "`anyone: \"true\"` lets every authenticated caller in.",
                byDefault = "{}")
        Map<String, String> allow,

        @Setting(
                value =
                        "Named CEL expressions; one that is true, or cannot be evaluated, denies whatever `allow` says.",
                byDefault = "{}")
        Map<String, String> deny,

        @Setting(
                value =
                        "Opens this route: what `authorize` would deny is recorded and forwarded as an anonymous request.",
                byDefault = "false")
        boolean insecureObserve) {
    private static final Pattern NAME = Pattern.compile("[a-z0-9_-]{1,64}");
    // RFC 6749 section 3.3.
    private static final Pattern SCOPE = Pattern.compile("[!#-\\[\\]-~]+");

    // The one allow map without a rule in it.
    // No file can produce this instance, so no file can look public by being empty.
    private static final Map<String, String> NO_RULES_ASKED = Collections.unmodifiableMap(new LinkedHashMap<>());

    /** What the word {@code public} stands for. */
    public static final RouteAuthorization PUBLIC = new RouteAuthorization(List.of(), NO_RULES_ASKED, Map.of(), false);

    @SuppressWarnings("ReferenceEquality") // only the word `public` brings this instance
    public RouteAuthorization {
        scopes = List.copyOf(scopes);
        for (var scope : scopes) {
            if (!SCOPE.matcher(scope).matches()) {
                throw new InvalidSetting(
                        "scopes", scope, "printable ASCII without blank, quote and backslash (RFC 6749 section 3.3)");
            }
        }
        if (allow != NO_RULES_ASKED) {
            allow = named("allow", allow);
            if (allow.isEmpty()) {
                throw new InvalidSetting(
                        "allow", "{}", "at least one rule, or `authorize: public` for a route that anyone may use");
            }
        }
        deny = named("deny", deny);
        for (var name : deny.keySet()) {
            if (allow.containsKey(name)) {
                throw new InvalidSetting(
                        "deny", name, "another name than that of an allow rule: records go by the name");
            }
        }
    }

    /** Reads the one word that may stand in place of the section. */
    public static RouteAuthorization parse(String word) {
        if (!word.equals("public")) {
            throw new InvalidSetting("", word, "the word public, or a section with rules under allow");
        }
        return PUBLIC;
    }

    /** Whether the operator wrote {@code public}: nobody is asked who they are, and no rule is asked either. */
    public boolean isPublic() {
        // The constructor lets no other record be without an allow rule.
        return allow.isEmpty();
    }

    private static Map<String, String> named(String key, Map<String, String> rules) {
        for (var name : rules.keySet()) {
            if (!NAME.matcher(name).matches()) {
                throw new InvalidSetting(
                        key, name, "a rule name of 1 to 64 characters of a-z, 0-9, dash and underscore");
            }
        }
        return Collections.unmodifiableMap(new LinkedHashMap<>(rules));
    }
}
