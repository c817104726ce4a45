// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.util.List;
import java.util.regex.Pattern;

/** Section {@code forward-credentials} of a public route's upstream, which authenticates its callers by itself. */
public record ForwardCredentialsConfig(
        @Setting(
                value =
                        "Whether the upstream sees the client's Authorization. Never a JWT of an issuer of this file, or one that cannot be"
                                + " read.",
                byDefault = "false")
        boolean authorization,

        @Setting(value = "The names of the cookies that the upstream sees, exactly.", byDefault = "[]")
        List<String> cookies) {
    // RFC 6265 section 4.1.1.
    private static final Pattern COOKIE_NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}");

    public ForwardCredentialsConfig {
        cookies = List.copyOf(cookies);
        for (var name : cookies) {
            if (!COOKIE_NAME.matcher(name).matches()) {
                throw new InvalidSetting("cookies", name, "the name of a cookie");
            }
        }
        if (!authorization && cookies.isEmpty()) {
            throw new InvalidSetting("", "nothing", "authorization: true, or the names of cookies, or no such section");
        }
    }
}
