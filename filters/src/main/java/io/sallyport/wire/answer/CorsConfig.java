// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Section {@code cors} of a route: which pages of other origins may call it from a browser. The methods are the route's own.
 *
 * @param origins exact, at least one; never "any": an API that takes credentials has callers that it knows
 */
public record CorsConfig(
        @Setting("The origins of the pages: https://app.example.org. Exact, no wildcard.")
        List<Origin> origins,

        @Setting(
                value = "The request headers that a page may set, beside those that it always may.",
                byDefault = "[authorization, content-type]")
        List<String> headers,

        @Setting(
                value =
                        "Further response headers that a page may read. Those that the gateway adds can be read without being listed.",
                byDefault = "[]")
        List<String> exposedHeaders,

        @Setting(value = "Whether a browser may send cookies and client certificates along.", byDefault = "false")
        boolean credentials,

        @Setting(value = "How long a browser may remember the answer to a preflight, 0s to 24h.", byDefault = "10m")
        Duration maxAge) {

    private static final Pattern FIELD_NAME = Pattern.compile("[A-Za-z0-9-]{1,128}");
    private static final String A_FIELD_NAME = "the name of a header, of letters, digits and dashes";

    public CorsConfig {
        origins = List.copyOf(origins);
        headers = List.copyOf(headers);
        exposedHeaders = List.copyOf(exposedHeaders);
        if (origins.isEmpty()) {
            throw new InvalidSetting("origins", "[]", "at least one origin");
        }
        requireNames("headers", headers);
        requireNames("exposed-headers", exposedHeaders);
        if (maxAge.isNegative() || maxAge.compareTo(Duration.ofHours(24)) > 0) {
            throw new InvalidSetting("max-age", maxAge, "0s to 24h");
        }
    }

    private static void requireNames(String key, List<String> names) {
        for (var name : names) {
            if (!FIELD_NAME.matcher(name).matches()) {
                throw new InvalidSetting(key, name, A_FIELD_NAME);
            }
        }
    }
}
