// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import java.util.Arrays;
import java.util.stream.Stream;

/**
 * One row of a table of attacks.
 *
 * @param name what it tries
 * @param text the bytes in Latin-1, with {@code {target}} and {@code {host}} to be filled in
 */
record Attack(String name, String text) {
    /** A request that should never be seen: the end of most attacks. */
    static final String SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n";

    /** A POST with these field lines after its Host, each of them without its line end. */
    static String post(String... fields) {
        return "POST {target} HTTP/1.1\r\nHost: {host}\r\n" + lines(fields) + "\r\n";
    }

    /** A GET with these field lines after its Host, each of them without its line end. */
    static String get(String... fields) {
        return "GET {target} HTTP/1.1\r\nHost: {host}\r\n" + lines(fields) + "\r\n";
    }

    static String lines(String... fields) {
        return String.join(
                "", Arrays.stream(fields).map(field -> field + "\r\n").toList());
    }

    /** The attacks of several tables. */
    @SafeVarargs
    static Stream<Attack> all(Stream<Attack>... tables) {
        var all = Stream.<Attack>empty();
        for (var table : tables) {
            all = Stream.concat(all, table);
        }
        return all;
    }

    String filledIn(String target, Way way) {
        return text.replace("{target}", target).replace("{host}", way.host());
    }

    /** The same in a form that can be printed: C0 controls, DEL and what is above as escapes, long ones cut. */
    static String printable(String text) {
        var printable = new StringBuilder();
        text.codePoints().limit(80).forEach(c -> {
            if (c >= ' ' && c < 0x7f) {
                printable.append((char) c);
            } else {
                printable.append("\\x%02x".formatted(c));
            }
        });
        return printable.toString();
    }

    @Override
    public String toString() {
        return printable(name);
    }
}
