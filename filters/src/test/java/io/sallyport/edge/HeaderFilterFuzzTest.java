// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaders;
import io.sallyport.forward.RequestHeaders;
import io.sallyport.fuzz.Corpus;
import io.sallyport.identity.IdentityHeaders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Of any header fields: what is let through has one reading, speaks for nobody else, and the verdict does not depend on case. */
public final class HeaderFilterFuzzTest {
    private static final HeadLimits LIMITS = new HeadLimits(256, 2048, 32);
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9-]+");
    private static final Pattern VALUE =
            Pattern.compile("(?:[!-~\\x80-\\xff](?:[\\t -~\\x80-\\xff]*[!-~\\x80-\\xff])?)?");

    @Test
    void every_kept_input_has_the_properties() throws IOException {
        Corpus.of(HeaderFilterFuzzTest.class).replay(HeaderFilterFuzzTest::fuzzerTestOneInput);
    }

    @Test
    void so_has_every_mutation_of_them() throws IOException {
        Corpus.of(HeaderFilterFuzzTest.class).mutate(HeaderFilterFuzzTest::fuzzerTestOneInput);
    }

    public static void fuzzerTestOneInput(byte[] input) {
        var text = new String(input, StandardCharsets.ISO_8859_1);
        var headers = fields(text, false);
        var scan = new HeaderScan(LIMITS, IdentityHeaders.STANDARD);
        var reason = scan.read(headers);
        var shouted = new HeaderScan(LIMITS, IdentityHeaders.STANDARD).read(fields(text, true));
        require(reason == shouted, "the same verdict in any case", text);
        if (reason != null) {
            var offender = scan.offender();
            require(offender == null || offender.chars().allMatch(c -> c > ' ' && c < 0x7f), "a printable name", text);
            return;
        }
        for (var field : headers) {
            require(NAME.matcher(field.getKey()).matches(), "a name", field.getKey());
            require(VALUE.matcher(field.getValue()).matches(), "a value", field.getValue());
        }
        for (var nominated : headers.getAll("connection")) {
            for (var option : nominated.split(",", -1)) {
                require(!IdentityHeaders.STANDARD.isSensitive(option.strip()), "no nomination of ours", nominated);
            }
        }
        long length = scan.contentLength();
        var lengths = headers.getAll("content-length");
        require(length != -1 || lengths.isEmpty(), "no length", text);
        require(
                length < 0 || (lengths.size() == 1 && Long.parseLong(lengths.getFirst()) == length),
                "one length",
                text);

        scan.removeIdentityHeaders(headers, null, _ -> {});
        for (var name : headers.names()) {
            require(!IdentityHeaders.STANDARD.contains(name), "no identity header", name);
        }
        for (var name : fields(text, true).names()) {
            require(
                    !IdentityHeaders.STANDARD.contains(name) || RequestHeaders.owns(name, IdentityHeaders.STANDARD),
                    "a header of ours",
                    name);
        }
    }

    /** A field for each line, its name before the first colon. */
    private static HttpHeaders fields(String text, boolean shouted) {
        var headers =
                DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
        for (var line : text.split("\n", -1)) {
            int colon = line.indexOf(':');
            if (colon >= 0) {
                var name = line.substring(0, colon);
                // One blank behind the colon is the codec's to take off; more is left in, as HTTP/2 can have it.
                var value = line.startsWith(" ", colon + 1) ? line.substring(colon + 2) : line.substring(colon + 1);
                headers.add(shouted ? shouted(name) : name, value);
            }
        }
        return headers;
    }

    // Of ASCII alone: other letters are no name in either case, and may have none, or two, of the other.
    private static String shouted(String name) {
        return name.chars().allMatch(c -> c < 0x80) ? name.toUpperCase(Locale.ROOT) : name;
    }

    private static void require(boolean holds, String expected, String actual) {
        if (!holds) {
            throw new AssertionError("\"%s\" (expected: %s)".formatted(actual, expected));
        }
    }
}
