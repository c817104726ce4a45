// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.issuer;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Text in which one path segment is a variable, {@code {tenant}}: the {@code iss} of many tenants, or where their keys are. */
public final class TenantTemplate {
    /** What a tenant may be called: nothing that could mean anything in a path. */
    private static final Pattern TENANT = Pattern.compile("[A-Za-z0-9-]{1,64}");

    private static final Pattern ONE_SEGMENT =
            Pattern.compile("([a-z]+://[^/{}]+/(?:[^{}]*/)?)\\{([a-z-]+)\\}((?:/[^{}]*)?)");

    private final String before;
    private final String variable;
    private final String after;

    private TenantTemplate(String before, String variable, String after) {
        this.before = before;
        this.variable = variable;
        this.after = after;
    }

    /** Whether text means to be a template. */
    static boolean isTemplate(String text) {
        return text.indexOf('{') >= 0 || text.indexOf('}') >= 0;
    }

    /** Reads an address with one variable, or null if it is none, or has the variable anywhere but in a path segment of its own. */
    static @Nullable TenantTemplate parse(String text) {
        var matcher = ONE_SEGMENT.matcher(text);
        return matcher.matches() ? new TenantTemplate(matcher.group(1), matcher.group(2), matcher.group(3)) : null;
    }

    static boolean isTenant(String text) {
        return TENANT.matcher(text).matches();
    }

    String variable() {
        return variable;
    }

    /** The text for one tenant. */
    String of(String tenant) {
        return before + tenant + after;
    }

    /** The tenant whose text that is, or null if it is nobody's. */
    @Nullable
    String tenantOf(String text) {
        int end = text.length() - after.length();
        if (end <= before.length() || !text.startsWith(before) || !text.endsWith(after)) {
            return null;
        }
        var tenant = text.substring(before.length(), end);
        return isTenant(tenant) ? tenant : null;
    }
}
