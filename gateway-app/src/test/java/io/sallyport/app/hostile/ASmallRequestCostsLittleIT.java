// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.sallyport.app.demo.DemoParts;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.util.unit.DataSize;

/**
 * Ten kilobytes of a client make the gateway send, to the client and to the upstream, and allocate a hundred times that at most:
 * the factor that Envoy's threat model allows. And they cost it a tenth of a second of CPU at most, a handshake included.
 */
@ParameterizedClass
@EnumSource(Way.class)
class ASmallRequestCostsLittleIT {
    private static final int SMALL = (int) DataSize.ofKilobytes(10).toBytes();
    private static final long LITTLE = DataSize.ofMegabytes(1).toBytes();
    private static final Duration SHORT = Duration.ofMillis(100);
    private static final int TIMES = 9;
    private static final ThreadMXBean THREADS = ManagementFactory.getPlatformMXBean(ThreadMXBean.class);

    @RegisterExtension
    static final HostileWorld world = new HostileWorld();

    @Parameter
    Way way;

    /**
     * Of somebody who has a token, and whose claims are as large as a token may be.
     *
     * @param claims beside the usual ones, or in their place
     * @param status of the answer
     * @param query with its question mark, if there is one
     */
    record Caller(int status, String name, Map<String, ?> claims, String query, List<String> fields) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** Sends it once, and tells how many bytes came back. */
    private interface Small {
        int ask() throws Exception;
    }

    @ParameterizedTest(name = "{0}")
    @Rows({"single", "queries", "credentials", "preflights"})
    void one_request_takes_little_of_the_processor(Attack attack) throws Exception {
        requireShort(() -> ask(attack));
    }

    @ParameterizedTest(name = "{0}")
    @Rows({"single", "queries", "credentials", "preflights"})
    void one_request_costs_little_of_everything(Attack attack) throws Exception {
        requireLittle(() -> ask(attack));
    }

    @ParameterizedTest(name = "{0}")
    @Rows("callers")
    void one_request_of_a_verified_caller_takes_little_of_the_processor(Caller caller) throws Exception {
        requireShort(() -> ask(caller));
    }

    @ParameterizedTest(name = "{0}")
    @Rows("callers")
    void one_request_of_a_verified_caller_costs_little_of_everything(Caller caller) throws Exception {
        requireLittle(() -> ask(caller));
    }

    private static void requireShort(Small request) throws Exception {
        var taken = new long[TIMES];
        for (int i = 0; i < TIMES; i++) {
            long before = processor();
            request.ask();
            taken[i] = processor() - before;
        }

        // Time on the processor, not on the clock;
        // the median, for what is compiled or collected meanwhile is not the request's.
        Arrays.sort(taken);
        assertThat(Duration.ofNanos(taken[TIMES / 2])).isBetween(Duration.ofNanos(1), SHORT);
    }

    private static void requireLittle(Small request) throws Exception {
        // Once before, so that nothing is counted that is made once.
        request.ask();
        int mark = world.upstream().mark();
        long before = allocated();

        int answered = request.ask();

        assertThat(allocated() - before).as("allocated").isBetween(1L, LITTLE);
        assertThat(answered).as("answered").isLessThan(SMALL);
        assertThat(forwarded(mark)).as("forwarded").isLessThan(2L * SMALL);
    }

    @ParameterizedTest(name = "{0}")
    @Rows("several")
    void many_in_as_many_bytes_move_little(Attack attack) throws Exception {
        int mark = world.upstream().mark();

        int answered = ask(attack);

        assertThat(answered + forwarded(mark)).as("answered and forwarded").isLessThan(LITTLE);
    }

    private int ask(Attack attack) throws Exception {
        var text = attack.filledIn("/attack/small", way);
        assertThat(text.length()).isBetween(SMALL * 8 / 10, SMALL);
        try (var connection = world.connect()) {
            return connection.write(text).readToEnd().length();
        }
    }

    private int ask(Caller caller) throws Exception {
        var text = "GET /judged/small%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%sConnection: close\r\n\r\n"
                .formatted(
                        caller.query(),
                        way.host(),
                        world.token(caller.claims()),
                        Attack.lines(caller.fields().toArray(String[]::new)));
        assertThat(text.length()).isLessThanOrEqualTo(SMALL);
        try (var connection = world.connect()) {
            var answer = connection.write(text).readToEnd();
            assertThat(answer).startsWith("HTTP/1.1 " + caller.status());
            return answer.length();
        }
    }

    private static long forwarded(int mark) {
        return world.upstream().since(mark).stream()
                .mapToLong(message -> message.bytes().length())
                .sum();
    }

    private static long allocated() {
        return ofTheGateway(THREADS::getThreadAllocatedBytes);
    }

    private static long processor() {
        return ofTheGateway(THREADS::getThreadCpuTime);
    }

    /** The sum for its threads. */
    private static long ofTheGateway(LongUnaryOperator figure) {
        return Arrays.stream(THREADS.getThreadInfo(THREADS.getAllThreadIds()))
                .filter(thread -> thread != null && thread.getThreadName().startsWith("sallyport-"))
                .mapToLong(thread -> figure.applyAsLong(thread.getThreadId()))
                .sum();
    }

    private static String repeated(String text, int length) {
        return text.repeat(length / text.length());
    }

    static Stream<Attack> single() {
        var last = "Connection: close\r\n\r\n";
        var get = "GET {target} HTTP/1.1\r\nHost: {host}\r\n";
        var chunked = "POST {target} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n" + last;
        return Stream.of(
                new Attack("one long field", get + "X: " + "y".repeat(9_000) + "\r\n" + last),
                new Attack(
                        "many short fields",
                        get + repeated("X: y\r\n", 560) + "Y: " + "z".repeat(9_000) + "\r\n" + last),
                new Attack("more fields than are read", get + repeated("X: y\r\n", 9_000) + last),
                new Attack("a long list of options", get + "Connection: " + repeated("a,", 9_000) + "a\r\n" + last),
                new Attack("many ranges", get + "Range: bytes=" + repeated("0-,", 9_000) + "0-\r\n" + last),
                new Attack(
                        "a long list of addresses",
                        get + "X-Forwarded-For: " + repeated("1.1.1.1,", 9_000) + "::\r\n" + last),
                new Attack("many cookies", get + "Cookie: " + repeated("a=b; ", 9_000) + "\r\n" + last),
                new Attack(
                        "a long credential", get + "Authorization: Bearer " + repeated("a.", 9_000) + "a\r\n" + last),
                new Attack(
                        "a long path",
                        "GET /" + repeated("a/", 7_500) + " HTTP/1.1\r\nHost: {host}\r\nY: " + "z".repeat(1_000)
                                + "\r\n" + last),
                new Attack(
                        "a long path in escapes",
                        "GET /" + repeated("%61/", 7_500) + " HTTP/1.1\r\nHost: {host}\r\nY: " + "z".repeat(1_000)
                                + "\r\n" + last),
                new Attack("a body", chunked + "2600\r\n" + "b".repeat(0x2600) + "\r\n0\r\n\r\n"),
                new Attack(
                        "long extensions", chunked + repeated("1;aaaaaaaaaaaaaaaaaaaa\r\nb\r\n", 9_000) + "0\r\n\r\n"));
    }

    static Stream<Attack> queries() {
        return Stream.of(
                        repeated("a=b&", 7_500),
                        repeated("%61=%62&", 7_500),
                        repeated("a[]=%25&", 7_500),
                        repeated("/../;", 7_500),
                        repeated("?", 7_500))
                .map(query -> new Attack(
                        "a query of " + query.substring(0, 5),
                        "GET {target}?" + query + " HTTP/1.1\r\nHost: {host}\r\nAccept: "
                                + repeated("a/b;q=0.1,", 1_000) + "*/*\r\nConnection: close\r\n\r\n"));
    }

    /** For a route that wants a token: what is read of one before its signature has been verified. */
    static Stream<Attack> credentials() {
        var header = "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"unknown\"";
        var claims = "{\"iss\":\"https://localhost\"}";
        return Stream.of(
                credential("a header of arrays in arrays", repeated("[", 6_000), claims),
                credential("a header of objects in objects", repeated("{\"a\":", 6_000), claims),
                credential(
                        "a header of many members",
                        header + repeated(",\"%d\":1", 5_000).formatted(filled()) + "}",
                        claims),
                credential(
                        "a header of one member again and again", header + repeated(",\"a\":1", 6_000) + "}", claims),
                credential("a long number", header + ",\"a\":1" + "0".repeat(5_900) + "}", claims),
                credential("a number of a long exponent", header + ",\"a\":1e" + "9".repeat(5_900) + "}", claims),
                credential("a text of escapes", header + ",\"a\":\"" + repeated("\\u0061", 5_900) + "\"}", claims),
                credential("a long kid", header.replace("unknown", "k".repeat(5_900)) + "}", claims),
                credential("claims of arrays in arrays", header + "}", "{\"a\":" + repeated("[", 5_900)),
                credential(
                        "claims of many audiences",
                        header + "}",
                        "{\"aud\":[" + repeated("\"a\",", 5_900) + "\"a\"]}"));
    }

    static Stream<Attack> preflights() {
        var last = "Connection: close\r\n\r\n";
        var preflight = "OPTIONS /judged/small HTTP/1.1\r\nHost: {host}\r\nOrigin: ";
        var page = preflight + "https://app.example.org\r\nAccess-Control-Request-";
        return Stream.of(
                new Attack(
                        "a preflight of a long origin",
                        preflight + "https://" + repeated("a.", 9_000) + "\r\nAccess-Control-Request-Method: GET\r\n"
                                + last),
                new Attack(
                        "a preflight for many fields",
                        page + "Method: GET\r\nAccess-Control-Request-Headers: " + repeated("a,", 9_000) + "a\r\n"
                                + last),
                new Attack("a preflight for a long method", page + "Method: " + repeated("A", 9_000) + "\r\n" + last));
    }

    /** Everything that rules, limits, risk and records read. */
    static Stream<Caller> callers() {
        var longText = "a".repeat(4_800);
        var trace = "traceparent: 00-" + "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        return Stream.of(
                caller(
                        "a long text, searched for a long one",
                        Map.of("text", "a".repeat(3_500)),
                        "",
                        "X-Text: " + "a".repeat(1_700) + "c",
                        "Y: " + "a".repeat(2_000)),
                caller("a long text for a pattern", Map.of(), "", "X-Text: " + "a".repeat(8_500)),
                caller("a long list in a list", Map.of("list", items(900)), "", "X-Text: c"),
                caller(
                        "two long lists that are equal",
                        Map.of("list", items(450), "other", items(450)),
                        "",
                        "X-Text: c"),
                unread("lists in lists", Map.of("list", nested(500)), "", "X-Text: c"),
                unread("objects in objects", Map.of("list", objects(500)), "", "X-Text: c"),
                caller("many claims", many(500), "", "X-Text: c"),
                unread(
                        "a number of a large exponent",
                        Map.of("number", new BigDecimal("1E+999999999")),
                        "",
                        "X-Text: c"),
                caller(
                        "a number of a small exponent",
                        Map.of("number", new BigDecimal("1E-999999999")),
                        "",
                        "X-Text: c"),
                unread("a number of many digits", Map.of("number", new BigInteger("9".repeat(4_800))), "", "X-Text: c"),
                unread("an expiry of many digits", Map.of("exp", new BigInteger("9".repeat(4_800))), "", "X-Text: c"),
                caller("many audiences", Map.of("aud", audiences(900)), "", "X-Text: c"),
                caller("many scopes", Map.of("scope", "s ".repeat(2_400) + "t"), "", "X-Text: c"),
                caller("a long tenant, which limits count", Map.of("tenant_id", longText), "", "X-Text: c"),
                caller("a long subject", Map.of("sub", longText), "", "X-Text: c"),
                caller("a long client", Map.of("client_id", longText), "", "X-Text: c"),
                caller("a long posture", Map.of("device_posture", longText), "", "X-Text: c"),
                caller("a long token id", Map.of("jti", longText), "", "X-Text: c"),
                caller("a text of escapes", Map.of("text", "\u0001".repeat(900)), "", "X-Text: c"),
                caller("a long query", Map.of(), "?" + "q=%7A&".repeat(1_200), "X-Text: c"),
                caller(
                        "a long name of a client program",
                        Map.of(),
                        "",
                        "X-Text: c",
                        "User-Agent: " + "sqlma".repeat(1_700)),
                caller("many origins", Map.of(), "", "X-Text: c", "Origin: https://" + "a.".repeat(4_200)),
                caller("a long trace", Map.of(), "", "X-Text: c", trace + "-" + "a".repeat(8_400)),
                caller(
                        "a trace of many states",
                        Map.of(),
                        "",
                        "X-Text: c",
                        trace,
                        "tracestate: " + "a=b,".repeat(2_100) + "c=d"),
                caller("much baggage", Map.of(), "", "X-Text: c", trace, "baggage: " + "a=b;c,".repeat(1_400) + "c=d"));
    }

    private static Caller caller(String name, Map<String, ?> claims, String query, String... fields) {
        return new Caller(200, name, claims, query, List.of(fields));
    }

    /** Of a good signature, and still no claims that anybody reads. */
    private static Caller unread(String name, Map<String, ?> claims, String query, String... fields) {
        return new Caller(401, name, claims, query, List.of(fields));
    }

    private static List<String> items(int count) {
        return Collections.nCopies(count, "ab");
    }

    private static List<String> audiences(int count) {
        return Stream.concat(IntStream.range(0, count).mapToObj(i -> "a"), Stream.of(DemoParts.AUDIENCE))
                .toList();
    }

    private static List<?> nested(int depth) {
        List<?> nested = List.of();
        for (int i = 0; i < depth; i++) {
            nested = List.of(nested);
        }
        return nested;
    }

    private static Map<String, ?> objects(int depth) {
        Map<String, ?> nested = Map.of();
        for (int i = 0; i < depth; i++) {
            nested = Map.of("a", nested);
        }
        return nested;
    }

    private static Map<String, ?> many(int count) {
        return IntStream.range(0, count).boxed().collect(Collectors.toMap(i -> "a" + i, i -> i));
    }

    private static Object[] filled() {
        return IntStream.range(0, 1_000).boxed().toArray();
    }

    private static Attack credential(String name, String header, String claims) {
        var token = base64url(header) + "." + base64url(claims) + "." + "A".repeat(86);
        return new Attack(
                "a credential with " + name,
                "GET /secret/small HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer " + token + "\r\nX: "
                        + "y".repeat(Math.max(0, SMALL * 9 / 10 - token.length())) + "\r\nConnection: close\r\n\r\n");
    }

    private static String base64url(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    static Stream<Attack> several() {
        var last = "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n";
        return Stream.of(
                new Attack(
                        "short chunks",
                        "POST {target} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                                + repeated("1\r\nb\r\n", 9_000) + "0\r\n\r\n"),
                new Attack(
                        "requests for what is guarded",
                        "GET /secret/ HTTP/1.1\r\nHost: {host}\r\n\r\n".repeat(220) + last),
                new Attack("requests for an unknown host", "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(350) + last),
                new Attack(
                        "requests that are forwarded",
                        "GET /{host} HTTP/1.1\r\nHost: {host}\r\n\r\n".repeat(190) + last));
    }
}
