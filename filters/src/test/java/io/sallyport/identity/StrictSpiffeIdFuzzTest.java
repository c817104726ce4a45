// SPDX-License-Identifier: Apache-2.0
package io.sallyport.identity;

import io.sallyport.fuzz.Corpus;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Of any text: what is accepted is what the grammar of SPIFFE-ID section 2 says, no more and no less, and prints as it was read. */
public final class StrictSpiffeIdFuzzTest {
    private static final Pattern GRAMMAR =
            Pattern.compile("spiffe://[a-z0-9._-]{1,255}(?:/(?!\\.{1,2}(?:/|\\z))[A-Za-z0-9._-]+)*+");

    @Test
    void every_kept_input_has_the_properties() throws IOException {
        Corpus.of(StrictSpiffeIdFuzzTest.class).replay(StrictSpiffeIdFuzzTest::fuzzerTestOneInput);
    }

    @Test
    void so_has_every_mutation_of_them() throws IOException {
        Corpus.of(StrictSpiffeIdFuzzTest.class).mutate(StrictSpiffeIdFuzzTest::fuzzerTestOneInput);
    }

    public static void fuzzerTestOneInput(byte[] input) {
        var text = new String(input, StandardCharsets.UTF_8);
        var id = StrictSpiffeId.parse(text);
        boolean expected = text.length() <= 2048 && GRAMMAR.matcher(text).matches();
        if ((id != null) != expected) {
            throw new AssertionError("\"%s\" was %s".formatted(text, id == null ? "refused" : "accepted"));
        }
        if (id == null) {
            return;
        }
        var workload = StrictSpiffeId.parseWorkload(text);
        boolean hasPath = text.indexOf('/', "spiffe://".length()) > 0;
        if (!id.toString().equals(text)
                || !text.equals("spiffe://" + id.getTrustDomain().getName() + id.getPath())
                || (workload != null) != hasPath) {
            throw new AssertionError("\"%s\" was read as %s".formatted(text, id));
        }
    }
}
