// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static io.sallyport.app.hostile.Attack.SMUGGLED;
import static io.sallyport.app.hostile.Attack.get;
import static io.sallyport.app.hostile.Attack.post;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;

/**
 * A head that two readers of RFC 9112 could read differently is answered once, with the status that its fault has, and ends the
 * connection; not a byte of it, nor of what follows, reaches an upstream. It is refused before there is a route, so that the way
 * forward of its host does not matter.
 */
class AnAmbiguousHeadNeverReachesAnUpstreamIT {
    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @ParameterizedTest(name = "{0}")
    @Rows({
        "lengths",
        "codings",
        "lengthsAndCodings",
        "requestLines",
        "otherProtocols",
        "targets",
        "fields",
        "controls",
        "hosts"
    })
    void is_refused_with_400(Attack attack) throws Exception {
        requireRefused(attack, 400);
    }

    @ParameterizedTest(name = "{0}")
    @Rows("tooLongTargets")
    void a_target_without_end_is_refused_with_414(Attack attack) throws Exception {
        requireRefused(attack, 414);
    }

    @ParameterizedTest(name = "{0}")
    @Rows("tooManyFields")
    void fields_without_end_are_refused_with_431(Attack attack) throws Exception {
        requireRefused(attack, 431);
    }

    @ParameterizedTest(name = "{0}")
    @Rows("bodiesWithoutEnd")
    void a_length_that_no_route_takes_is_refused_with_413(Attack attack) throws Exception {
        requireRefused(attack, 413);
    }

    /** Methods that ask something of a proxy rather than of an upstream, and spellings of others. */
    @ParameterizedTest(name = "{0}")
    @Rows("methods")
    void a_method_that_no_route_names_reaches_no_upstream(Attack attack) throws Exception {
        int mark = world.upstream().mark();
        String answer;
        try (var connection = world.connect()) {
            answer = connection
                    .write(attack.filledIn(world.target(), Way.DIRECT))
                    .readToEnd();
        }

        assertThat(answer).matches("(?s)HTTP/1\\.1 4(00|01|04|05) .*");
        assertThat(answer.split("HTTP/1\\.1 ", -1)).as("one answer").hasSize(2);
        world.requireOneNeighbourUnharmed(Way.DIRECT);
        assertThat(world.upstream().since(mark)).isEmpty();
    }

    private void requireRefused(Attack attack, int status) throws Exception {
        int mark = world.upstream().mark();
        String answer;
        try (var connection = world.connect()) {
            answer = connection
                    .write(attack.filledIn(world.target(), Way.DIRECT))
                    .readToEnd();
        }

        assertThat(answer).matches("(?s)HTTP/1\\.[01] " + status + " .*");
        assertThat(answer.split("HTTP/1\\.[01] ", -1)).as("one answer").hasSize(2);
        world.requireOneNeighbourUnharmed(Way.DIRECT);
        assertThat(world.upstream().since(mark)).isEmpty();
    }

    private static Attack row(String name, String head) {
        return new Attack(name, head + "0\r\n\r\n" + SMUGGLED);
    }

    /** Content-Length with more than one reading, RFC 9112 section 6.3; CL.CL of "HTTP Request Smuggling", Watchfire (2005). */
    static Stream<Attack> lengths() {
        var values = Stream.of(
                "",
                " ",
                "+5",
                "-5",
                "-0",
                "+0",
                "5 5",
                "5,5",
                "5, 5",
                "5,",
                ",5",
                "5;",
                "5;5",
                "05",
                "00",
                "005",
                "0x5",
                "0X5",
                "5.0",
                "5.",
                "5e0",
                "5\t5",
                "'5'",
                "\"5\"",
                "(5)",
                "5h",
                "h5",
                "1_0",
                "five",
                "5\u000b",
                "5\f",
                "\u000b5",
                "5\u0000",
                "\u00005",
                "5\u0001",
                "5\u0085",
                "5\u00a0",
                "\u00a05",
                "\u00b2",
                "\u00d9\u00a5",
                "\u00ef\u00bc\u0095",
                "9999999999999999999",
                "18446744073709551621",
                "99999999999999999999",
                "340282366920938463463374607431768211461",
                "NaN",
                "Infinity",
                "chunked",
                "0\r",
                "5\r5",
                "0,5",
                "5,0",
                "=5",
                "5=",
                "5\\",
                "%35",
                "&#53;",
                "5\u007f");
        return Attack.all(
                values.map(value -> row("Content-Length: " + value, post("Content-Length: " + value))),
                Stream.of(
                        row("the same length twice", post("Content-Length: 5", "Content-Length: 5")),
                        row("two lengths", post("Content-Length: 5", "Content-Length: 6")),
                        row("two lengths, none first", post("Content-Length: 0", "Content-Length: 40")),
                        row("two lengths in two cases", post("Content-Length: 0", "content-length: 40")),
                        row(
                                "three lengths",
                                post("Content-Length: 5", "X: y", "Content-Length: 5", "Content-Length: 5")),
                        row("a length and a malformed one", post("Content-Length: 0", "Content-Length: x")),
                        row("a malformed one and a length", post("Content-Length: ", "Content-Length: 0")),
                        row("white space before the colon", post("Content-Length : 5")),
                        row("a tab before the colon", post("Content-Length\t: 5")),
                        row("NUL before the colon", post("Content-Length\u0000: 5")),
                        row("a no-break space before the colon", post("Content-Length\u00a0: 5")),
                        row("a vertical tab before the name", post("\u000bContent-Length: 5")),
                        row("a name after white space", post(" Content-Length: 5")),
                        row("a name with an underscore", post("Content_Length: 5")),
                        row("a name with a dot", post("Content.Length: 5")),
                        row("a name in quotes", post("\"Content-Length\": 5")),
                        row("a value on the next line", post("Content-Length:\r\n 5")),
                        row("a value continued", post("Content-Length: 5\r\n 5")),
                        row("a value continued by a tab", post("Content-Length: 5\r\n\t")),
                        row("a length after a bare LF", post("X: y\nContent-Length: 5")),
                        row("a length after a bare CR", post("X: y\rContent-Length: 5")),
                        row("a length after CR CR LF", post("X: y\r\r\nContent-Length: 5")),
                        row("a length after LF CR", post("X: y\n\rContent-Length: 5")),
                        row("a length after NUL", post("X: y\u0000Content-Length: 5")),
                        row("a malformed length of a GET", get("Content-Length: x")),
                        row("two lengths of a GET", get("Content-Length: 0", "Content-Length: 5")),
                        row(
                                "two lengths in HTTP/1.0",
                                "POST {target} HTTP/1.0\r\nHost: {host}\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n")));
    }

    /** Transfer-Encoding that only some readers see, after "HTTP Desync Attacks", James Kettle (2019), and its successors. */
    static Stream<Attack> codings() {
        var values = Stream.of(
                "",
                " ",
                "identity",
                "chunked, identity",
                "identity, chunked",
                "chunked, chunked",
                "chunked,chunked",
                "gzip",
                "gzip, chunked",
                "chunked, gzip",
                "deflate, chunked",
                "compress, chunked",
                "trailers",
                "xchunked",
                "x-chunked",
                "chunkedx",
                "chunked-x",
                "chunked;",
                "chunked;q=1",
                "chunked;q=0",
                "chunked; a=b",
                "\"chunked\"",
                "'chunked'",
                "(chunked)",
                "chunked,",
                ",chunked",
                "chunked ,",
                ", chunked",
                "chunke",
                "chunk",
                "hunked",
                "chunke d",
                "chun ked",
                "chunked chunked",
                "chunked\tx",
                "chunked\u000b",
                "\u000bchunked",
                "chunked\f",
                "\fchunked",
                "chunked\u0000",
                "\u0000chunked",
                "chunked\u0001",
                "chunked\u007f",
                "chunked\u0085",
                "chunked\u00a0",
                "\u00a0chunked",
                "\u0085chunked",
                "ch\u00fcnked",
                "chun\u00e2\u0084\u00aaed",
                "cow",
                "0",
                "1",
                "null",
                "none",
                "chunked\r",
                "\rchunked",
                "chunked\rX: y",
                "\r chunked",
                "chunked\r\r",
                "=chunked",
                "chunked=",
                "chunked:",
                ":chunked",
                "{chunked}",
                "chunked\\",
                "chunked%00",
                "ch%75nked",
                "\u00ffchunked",
                "\u00bf\u00bfchunked");
        return Attack.all(
                values.map(value -> row("Transfer-Encoding: " + value, post("Transfer-Encoding: " + value))),
                Stream.of(
                        row("two codings", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked")),
                        row(
                                "two codings, the last unknown",
                                post("Transfer-Encoding: chunked", "Transfer-Encoding: cow")),
                        row(
                                "two codings, the first unknown",
                                post("Transfer-Encoding: cow", "Transfer-Encoding: chunked")),
                        row(
                                "two codings, the last identity",
                                post("Transfer-Encoding: chunked", "Transfer-Encoding: identity")),
                        row(
                                "two codings in two cases",
                                post("Transfer-Encoding: chunked", "transfer-encoding: chunked")),
                        row("two codings, the last empty", post("Transfer-Encoding: chunked", "Transfer-Encoding:")),
                        row("a space before the colon", post("Transfer-Encoding : chunked")),
                        row("a tab before the colon", post("Transfer-Encoding\t: chunked")),
                        row("a line end before the colon", post("Transfer-Encoding\r\n : chunked")),
                        row("a bare LF before the colon", post("Transfer-Encoding\n : chunked")),
                        row("a bare CR before the colon", post("Transfer-Encoding\r: chunked")),
                        row("NUL before the colon", post("Transfer-Encoding\u0000: chunked")),
                        row("a vertical tab before the colon", post("Transfer-Encoding\u000b: chunked")),
                        row("a no-break space before the colon", post("Transfer-Encoding\u00a0: chunked")),
                        row("two colons", post("Transfer-Encoding:: chunked")),
                        row("no colon", post("Transfer-Encoding chunked")),
                        row("an equals sign for the colon", post("Transfer-Encoding= chunked")),
                        row("a name after a space", post(" Transfer-Encoding: chunked")),
                        row("a name after a tab", post("\tTransfer-Encoding: chunked")),
                        row("a name after NUL", post("\u0000Transfer-Encoding: chunked")),
                        row("a name after a colon", post(":Transfer-Encoding: chunked")),
                        row("a name after a bare LF", post("X: y\nTransfer-Encoding: chunked")),
                        row("a name after a bare CR", post("X: y\rTransfer-Encoding: chunked")),
                        row("a name after LF CR", post("X: y\n\rTransfer-Encoding: chunked")),
                        row("a name after NUL in a value", post("X: y\u0000Transfer-Encoding: chunked")),
                        row("a name after a folded line", post("X: y", " Transfer-Encoding: chunked")),
                        row("a name with an underscore", post("Transfer_Encoding: chunked")),
                        row("a name with a dot", post("Transfer.Encoding: chunked")),
                        row("a name with a space", post("Transfer Encoding: chunked")),
                        row("a name with a long s", post("Tran\u00c5\u00bffer-Encoding: chunked")),
                        row("a value on the next line", post("Transfer-Encoding:\r\n chunked")),
                        row("a value on the next line by a tab", post("Transfer-Encoding:\r\n\tchunked")),
                        row("a value after a bare LF", post("Transfer-Encoding:\n chunked")),
                        row("a value continued", post("Transfer-Encoding: chunked\r\n , identity")),
                        row("a value continued by nothing", post("Transfer-Encoding: chunked\r\n ")),
                        row("a coding ended by a bare LF", post("Transfer-Encoding: chunked\nX: y")),
                        row(
                                "a coding in HTTP/1.0",
                                "POST {target} HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"),
                        row(
                                "a coding in HTTP/1.0 with keep-alive",
                                "POST {target} HTTP/1.0\r\nHost: {host}\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"),
                        row("an unknown coding of a GET", get("Transfer-Encoding: cow"))));
    }

    /** CL.TE and TE.CL, RFC 9112 section 6.1: "ought to be handled as an error". */
    static Stream<Attack> lengthsAndCodings() {
        var codings = Stream.of(
                "Transfer-Encoding: chunked",
                "transfer-encoding: CHUNKED",
                "Transfer-Encoding:chunked",
                "Transfer-Encoding:\tchunked",
                "Transfer-Encoding: chunked ",
                "Transfer-Encoding: identity",
                "Transfer-Encoding: xchunked",
                "Transfer-Encoding : chunked",
                "Transfer-Encoding:\u000bchunked",
                "Transfer-Encoding: chunked, identity",
                "Transfer-Encoding:",
                "\u0000Transfer-Encoding: chunked",
                "Transfer-Encoding: x\r\n chunked",
                "X: y\nTransfer-Encoding: chunked",
                "Transfer_Encoding: chunked");
        return codings.flatMap(coding -> Stream.of("0", "4", "6", "40")
                .flatMap(length -> Stream.of(
                        row("length " + length + ", " + coding, post("Content-Length: " + length, coding)),
                        row(coding + ", length " + length, post(coding, "Content-Length: " + length)))));
    }

    /** RFC 9112 section 3. */
    static Stream<Attack> requestLines() {
        return Stream.of(
                        "GET  {target} HTTP/1.1",
                        "GET {target}  HTTP/1.1",
                        "GET\t{target} HTTP/1.1",
                        "GET {target}\tHTTP/1.1",
                        "GET\u000b{target} HTTP/1.1",
                        "GET {target}\fHTTP/1.1",
                        " GET {target} HTTP/1.1",
                        "\tGET {target} HTTP/1.1",
                        "GET {target} HTTP/1.1 ",
                        "GET {target} HTTP/1.1\t",
                        "GET {target} HTTP/1.1\r",
                        "GET {target} HTTP/1.1 x",
                        "GET {target}",
                        "GET {target} ",
                        "GET",
                        "GET ",
                        "{target} HTTP/1.1",
                        "GET HTTP/1.1",
                        "GET  HTTP/1.1",
                        "GET {target} HTTP/1.2",
                        "GET {target} HTTP/1.9",
                        "GET {target} HTTP/2.0",
                        "GET {target} HTTP/2",
                        "GET {target} HTTP/3",
                        "GET {target} HTTP/0.9",
                        "GET {target} HTTP/1.",
                        "GET {target} HTTP/1",
                        "GET {target} HTTP/.1",
                        "GET {target} HTTP/",
                        "GET {target} HTTP",
                        "GET {target} HTTP/1.10",
                        "GET {target} HTTP/1.01",
                        "GET {target} HTTP/01.1",
                        "GET {target} HTTP/11.1",
                        "GET {target} HTTP/+1.1",
                        "GET {target} HTTP/1,1",
                        "GET {target} HTTP /1.1",
                        "GET {target} HTTP/ 1.1",
                        "GET {target} HTTP/1 .1",
                        "GET {target} http/1.1",
                        "GET {target} Http/1.1",
                        "GET {target} HTTPS/1.1",
                        "GET {target} XHTTP/1.1",
                        "GET {target} ICY/1.1",
                        "GET {target} HTTP\\1.1",
                        "GET {target} HTTP/1.1\u0000",
                        "GET {target} HTTP/1.a",
                        "GET {target} {target} HTTP/1.1",
                        "GET {target} HTTP/1.1 HTTP/1.1",
                        "GET {target} HTTP/1.1,HTTP/1.1",
                        "GE T {target} HTTP/1.1",
                        "GET\u0000 {target} HTTP/1.1",
                        "G\u0000T {target} HTTP/1.1",
                        "G\u00c9T {target} HTTP/1.1",
                        "\u00ef\u00bb\u00bfGET {target} HTTP/1.1",
                        "(GET) {target} HTTP/1.1",
                        "GET, {target} HTTP/1.1",
                        "GET: {target} HTTP/1.1",
                        "GET/ {target} HTTP/1.1",
                        "\"GET\" {target} HTTP/1.1",
                        "G=T {target} HTTP/1.1",
                        "G@T {target} HTTP/1.1",
                        "G[T] {target} HTTP/1.1",
                        "{GET} {target} HTTP/1.1",
                        "GET {target}\u0000 HTTP/1.1",
                        "GET {target}\u0001 HTTP/1.1",
                        "GET {target}\u007f HTTP/1.1",
                        "GET {target}\u00e9 HTTP/1.1",
                        "GET {target}\r HTTP/1.1",
                        "GET {target}\rHTTP/1.1",
                        "GET {target} HTTP/1.1\rX: y",
                        "\rGET {target} HTTP/1.1",
                        "\nGET {target} HTTP/1.1",
                        "\r\n\r\nGET {target} HTTP/1.1",
                        "\r\n GET {target} HTTP/1.1",
                        "\r\r\nGET {target} HTTP/1.1",
                        "GET {target} HTTP/1.1\nX: y",
                        "GET {target}\nHTTP/1.1",
                        "GET\n{target} HTTP/1.1",
                        "GET {target}\n",
                        "A".repeat(40) + " {target} HTTP/1.1")
                .map(line -> row(line, line + "\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"));
    }

    /** Cross-protocol attacks, and what a balancer in front would have taken off. */
    static Stream<Attack> otherProtocols() {
        return Stream.of(
                row(
                        "the preface of HTTP/2",
                        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000"),
                row("TLS in TLS", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n"),
                row("PROXY v1", "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n" + get()),
                row("PROXY v1 unknown", "PROXY UNKNOWN\r\n" + get()),
                row(
                        "PROXY v2",
                        "\r\n\r\n\u0000\r\nQUIT\n!\u0011\u0000\f\u00c0\u0000\u0002\u0001\u00c0\u0000\u0002\u0002\u0004\u00d2\u0001\u00bb"
                                + get()),
                row("a response", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                row("SMTP", "EHLO example.org\r\nMAIL FROM:<a@example.org>\r\n\r\n"),
                row("SSH", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
                row("Redis", "*1\r\n$4\r\nPING\r\n\r\n"),
                row("RTSP", "OPTIONS rtsp://{host}/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
                row("SIP", "INVITE sip:a@{host} SIP/2.0\r\n\r\n"),
                row("memcached", "set a 0 0 1\r\nb\r\n\r\n"),
                row("NULs", "\u0000".repeat(64)),
                row("a JSON object", "{\"a\": 1}\r\n\r\n"));
    }

    /** RFC 9112 section 3.2: neither origin-form nor an absolute-form that agrees with Host. */
    static Stream<Attack> targets() {
        return Stream.of(
                        "*",
                        "{host}",
                        "{host}:443",
                        "attack",
                        "?a=b",
                        "#",
                        "{target}#fragment",
                        "http:{target}",
                        "http:/{host}/",
                        "http://",
                        "http:///",
                        "https:///x",
                        "ftp://{host}/",
                        "file:///etc/passwd",
                        "gopher://{host}/",
                        "javascript:alert(1)",
                        "http://evil.test/",
                        "https://evil.test{target}",
                        "http://{host}.evil.test/",
                        "http://evil.test@{host}/",
                        "http://{host}@evil.test/",
                        "http://{host}:evil@evil.test/",
                        "http://{host}:80:80/",
                        "http://{host}:/",
                        "http://{host}:81/",
                        "http://{host}#@evil.test/",
                        "http://{host}\\evil.test/",
                        "http://evil.test\\{host}/",
                        "http://{host}%2eevil.test/",
                        "http://evil.test?{host}/",
                        "//evil.test/",
                        "//{host}{target}",
                        "///evil.test/",
                        "/\\evil.test/",
                        "\\\\evil.test\\",
                        "http:\\\\{host}\\")
                .map(target -> row(target, "GET " + target + " HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    }

    /** RFC 9112 section 5, RFC 9110 section 5. */
    static Stream<Attack> fields() {
        return Attack.all(
                Stream.of(
                                " X: folded before any field",
                                "\tX: y",
                                "X",
                                "X y",
                                ": y",
                                ":",
                                "X\r\n : y",
                                "X : y",
                                "X\t: y",
                                "X: y\r\n z",
                                "X: y\r\n\tz",
                                "X: y\r\n ",
                                "X:\r\n y",
                                "X: y\nZ: z",
                                "X: y\rZ: z",
                                "X: y\r\r",
                                "X_Y: z",
                                "X.Y: z",
                                "X\u00e9: y",
                                "X\u00a0Y: z",
                                "Expect: 200-ok",
                                "Expect: 100-continue, 200-ok",
                                "Expect: 100-continue;a=b",
                                "Expect: 100-Continue , x",
                                "Expect: y 100-continue",
                                "Expect: 100-continue y",
                                "Expect: 100-continue\r\nExpect: 200-ok",
                                "Expect: 100-continue\r\n 200-ok",
                                "Expect:\r\n 100-continue",
                                "Expect: ",
                                "Expect: \"100-continue\"",
                                "Connection: Authorization",
                                "Connection: close, authorization",
                                "Connection: Host",
                                "Connection: Content-Length",
                                "Connection: keep-alive, Transfer-Encoding",
                                "Connection: X-Forwarded-For",
                                "Connection: cookie",
                                "Connection: connection",
                                "Connection: close,\tX-Real-IP",
                                "connection:x-auth-user",
                                "Connection: Forwarded",
                                "Connection: close;a",
                                "Connection: \"close\"",
                                "Connection: clo se",
                                "Connection: keep-alive, close\u00e9",
                                "Sec-WebSocket-Key1: 1",
                                "Sec-WebSocket-Key2: 1")
                        .map(field -> row(field, post(field, "Content-Length: 0"))),
                // Each delimiter of RFC 9110 section 5.6.2, and white space.
                "\"(),/;<=>?@[\\]{} "
                        .chars()
                        .mapToObj(c -> row("a name with " + (char) c, get("X" + (char) c + "Y: z"))),
                Stream.of(
                        row("LF for each line end", get("X: y").replace("\r\n", "\n")),
                        row("CR for each line end", get("X: y").replace("\r\n", "\r") + "\r\n\r\n"),
                        row("a head that ends in LF", get("X: y").replaceFirst("\r\n\r\n$", "\r\n\n")),
                        row("a head that ends in LF LF", get("X: y").replaceFirst("\r\n\r\n$", "\n\n")),
                        row("a head that ends in LF CR LF", get("X: y").replaceFirst("\r\n\r\n$", "\n\r\n"))));
    }

    /** Every control character in a name and in a value, except the tab that a value may have, CR and LF. */
    static Stream<Attack> controls() {
        return IntStream.concat(IntStream.range(0, 0x20), IntStream.of(0x7f))
                .filter(c -> c != '\t' && c != '\n' && c != '\r')
                .mapToObj(c -> Stream.of(
                        row("a name with %02x".formatted(c), get("X" + (char) c + "Y: z")),
                        row("a value with %02x".formatted(c), get("X: y" + (char) c + "z"))))
                .flatMap(rows -> rows);
    }

    /** RFC 9112 section 3.2, RFC 9110 section 7.2. */
    static Stream<Attack> hosts() {
        return Attack.all(
                Stream.of(
                                "",
                                " ",
                                "{host},evil.test",
                                "{host}, evil.test",
                                "evil.test,{host}",
                                "a@{host}",
                                "{host}@evil.test",
                                "a:b@{host}",
                                "{host}/",
                                "{host}/x",
                                "{host}?x",
                                "{host}#x",
                                "{host}\\x",
                                "{host} evil.test",
                                "evil.test {host}",
                                "{host}\tevil.test",
                                "{host}:",
                                "{host}:x",
                                "{host}:-1",
                                "{host}:+443",
                                "{host}:99999",
                                "{host}:65536",
                                "{host}:0",
                                "{host}:0443",
                                "{host}:443:443",
                                "{host}:0x1bb",
                                "{host}:443 80",
                                ":443",
                                ":",
                                "{host}.",
                                "{host}..",
                                ".{host}",
                                "-{host}",
                                "{host}-",
                                "d_rect.test",
                                "%64irect.test",
                                "{host}%00",
                                "{host}%0d%0a",
                                "{host}\u0000",
                                "{host}\u0000evil.test",
                                "\u00e9.test",
                                "\u00ef\u00bc\u008ftest",
                                "*",
                                "*.test",
                                "{host};a",
                                "{host}=a",
                                "'{host}'",
                                "\"{host}\"",
                                "<{host}>",
                                "[{host}]",
                                "[::1",
                                "::1",
                                "[::1]x",
                                "[::1]:x",
                                "[]",
                                "[::g]",
                                "[::1%25eth0]",
                                "http://{host}",
                                "//{host}",
                                "{host}\r",
                                "{host}\u00a0",
                                "\u000b{host}",
                                "(a){host}",
                                "{host}!",
                                "a".repeat(64) + ".test",
                                ("a".repeat(60) + ".").repeat(5) + "test")
                        .map(host -> row("Host: " + host, "GET {target} HTTP/1.1\r\nHost: " + host + "\r\n\r\n")),
                Stream.of(
                        row("no Host", "GET {target} HTTP/1.1\r\n\r\n"),
                        row("no Host in HTTP/1.0", "GET {target} HTTP/1.0\r\n\r\n"),
                        row("no Host with an absolute target", "GET http://{host}{target} HTTP/1.1\r\n\r\n"),
                        row("the same Host twice", get("Host: {host}")),
                        row("two Hosts", get("Host: evil.test")),
                        row(
                                "two Hosts, the other first",
                                "GET {target} HTTP/1.1\r\nHost: evil.test\r\nHost: {host}\r\n\r\n"),
                        row("two Hosts in two cases", get("hOST: evil.test")),
                        row("two Hosts, the second empty", get("Host:")),
                        row("two Hosts, the second with a space", get("Host : evil.test")),
                        row("two Hosts, the second after a space", get(" Host: evil.test")),
                        row("a Host after a bare LF", get("X: y\nHost: evil.test")),
                        row("a Host continued", "GET {target} HTTP/1.1\r\nHost: {host}\r\n evil.test\r\n\r\n"),
                        row("a Host on the next line", "GET {target} HTTP/1.1\r\nHost:\r\n {host}\r\n\r\n"),
                        row(
                                "a Host first, folded",
                                "GET {target} HTTP/1.1\r\n Host: evil.test\r\nHost: {host}\r\n\r\n"),
                        row(
                                "an absolute target of another Host",
                                "GET http://evil.test{target} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
                        row(
                                "the other Host of an absolute target",
                                "GET http://{host}{target} HTTP/1.1\r\nHost: evil.test\r\n\r\n")));
    }

    static Stream<Attack> methods() {
        var last = " HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        return Stream.of(
                        "TRACE {target}",
                        "TRACK {target}",
                        "DEBUG {target}",
                        "CONNECT {host}:443",
                        "CONNECT evil.test:443",
                        "CONNECT {target}",
                        "CONNECT 127.0.0.1:22",
                        "CONNECT http://evil.test/",
                        "OPTIONS *",
                        "OPTIONS {target}",
                        "PRI *",
                        "get {target}",
                        "Get {target}",
                        "gET {target}",
                        "GETT {target}",
                        "GET_ {target}",
                        "G!T {target}",
                        "HTTP {target}",
                        "PROPFIND {target}",
                        "PATCH {target}",
                        "PURGE {target}",
                        "BAN {target}",
                        "SUBSCRIBE {target}",
                        "__proto__ {target}",
                        "NULL {target}")
                .map(line -> new Attack(line, line + last));
    }

    static Stream<Attack> tooLongTargets() {
        return Stream.of(
                row("a long path", "GET /" + "a".repeat(9_000) + " HTTP/1.1\r\nHost: {host}\r\n\r\n"),
                row("a long query", "GET {target}?" + "a".repeat(9_000) + " HTTP/1.1\r\nHost: {host}\r\n\r\n"),
                row("a line that never ends", "GET /" + "a".repeat(20_000)));
    }

    static Stream<Attack> tooManyFields() {
        return Stream.of(
                row("a long value", get("X: " + "y".repeat(33_000))),
                row("a long name", get("X".repeat(33_000) + ": y")),
                row("many fields", get("X: y\r\n".repeat(200) + "Z: z")),
                row("many empty fields", get("X:\r\n".repeat(200) + "Z:")),
                row("a field that never ends", "GET {target} HTTP/1.1\r\nHost: {host}\r\nX: " + "y".repeat(40_000)),
                row("white space that never ends", "GET {target} HTTP/1.1\r\nHost: {host}\r\nX:" + " ".repeat(40_000)),
                row("a length in white space", get("Content-Length:" + " ".repeat(33_000) + "5")));
    }

    static Stream<Attack> bodiesWithoutEnd() {
        return Stream.of("2147483648", "4294967296", "4294967301", "999999999999999999")
                .map(length -> row("Content-Length: " + length, post("Content-Length: " + length)));
    }
}
