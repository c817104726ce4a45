// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.sallyport.wire.model.Packet.Wait;
import io.sallyport.wire.model.Request.Body;
import io.sallyport.wire.model.Request.Malformed;
import io.sallyport.wire.model.Request.Upgrade;
import io.sallyport.wire.model.Script.Death;
import io.sallyport.wire.model.Script.Framing;
import io.sallyport.wire.model.Sequence.Leaving;
import io.sallyport.wire.model.Sequence.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Random sequences of requests of every kind; the same seed gives the same ones. */
final class Sequences {
    private record Nonsense(String bytes, int status) {}

    private static final List<Nonsense> NONSENSE = List.of(
            new Nonsense("GET  bad HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            new Nonsense("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 400),
            new Nonsense("GET / HTTP/1.1\nHost: localhost\n\n", 400),
            new Nonsense("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
            new Nonsense("GET / HTTP/1.1\r\nHost: localhost\r\n folded: yes\r\n\r\n", 400),
            new Nonsense("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nhello", 400),
            new Nonsense(
                    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                    400),
            new Nonsense("GET /" + "a".repeat(9_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
            new Nonsense("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "a".repeat(17_000) + "\r\n\r\n", 431));

    private static final List<Integer> REFUSALS = List.of(401, 401, 403, 403, 404, 405, 413, 421, 429, 503);
    private static final List<Leaving> LEAVING = List.of(Leaving.CLOSE, Leaving.RESET, Leaving.HALF);
    private static final List<Leaving> LEAVING_EMBEDDED =
            List.of(Leaving.CLOSE, Leaving.RESET, Leaving.HALF, Leaving.STOP, Leaving.STOP);
    private static final List<Integer> STATUSES = List.of(200, 200, 200, 201, 204, 304, 404, 500);
    private static final List<Framing> FRAMINGS = List.of(
            Framing.LENGTH, Framing.LENGTH, Framing.LENGTH, Framing.CHUNKED, Framing.CHUNKED, Framing.UNTIL_CLOSE);

    private final Random random;
    private final int most;
    private final boolean embedded;

    /** How often a request ends its connection, in percent. */
    private int ending;

    /** How much the client waits between packets, in percent. */
    private int waiting;

    private Sequences(Random random, int most, boolean embedded) {
        this.random = random;
        this.most = most;
        this.embedded = embedded;
    }

    /**
     * That sequence of them all.
     *
     * @param most how many requests it has at the most
     */
    static Sequence overSockets(long seed, int most) {
        return new Sequences(new Random(seed), most, false).sequence();
    }

    /** The same for a connection and a gateway of its own, which may stop; with fewer large bodies. */
    static Sequence embedded(long seed, int most) {
        return new Sequences(new Random(seed), most, true).sequence();
    }

    private Sequence sequence() {
        int length = 1 + random.nextInt(chance(50) ? Math.min(8, most) : most);
        ending = chance(50) ? 0 : 1 + random.nextInt(12);
        waiting = random.nextInt(4) * 25;
        var requests = new ArrayList<Request>();
        while (requests.size() < length) {
            var request = request();
            if (!requests.isEmpty() && chance(waiting)) {
                request.after(pause());
            }
            if (chance(waiting / 2)) {
                cut(request);
            }
            requests.add(request);
        }
        var leaving = chance(80) ? Leaving.NEVER : pick(embedded ? LEAVING_EMBEDDED : LEAVING);
        if (leaving != Leaving.NEVER && chance(40)) {
            requests.add(endless());
        } else {
            if (chance(30)) {
                requests.add(last());
            }
            // Whether the connection goes on is seen by whether this is answered.
            requests.add(Request.get().after(Wait.Earlier.EARLIER));
        }
        var reading = chance(70) ? Reading.AT_ONCE : pick(List.of(Reading.SLOWLY, Reading.LATE));
        return new Sequence(requests, reading, leaving, 1 + random.nextInt(requests.size()));
    }

    private <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    private Wait pause() {
        return switch (random.nextInt(10)) {
            case 0, 1 -> Wait.Earlier.EARLIER;
            case 2 -> new Wait.Pause(random.nextInt(30));
            default -> new Wait.Pause(random.nextInt(3));
        };
    }

    private void cut(Request request) {
        double at = 0;
        for (int cuts = 1 + random.nextInt(3); cuts > 0; cuts--) {
            at += (1 - at) * random.nextDouble();
            request.cut(at, new Wait.Pause(random.nextInt(3)));
        }
    }

    private Request request() {
        if (chance(ending)) {
            return last();
        }
        var request = switch (random.nextInt(10)) {
            case 0, 1, 2, 3 -> forwarded();
            case 4, 5, 6 -> withBody();
            case 7, 8 -> Request.get().refused(pick(REFUSALS));
            default -> Request.preflight();
        };
        request.later = chance(15) && !request.preflight;
        return request;
    }

    private Request forwarded() {
        var request = Request.get();
        request.filtered = chance(50);
        if (chance(20)) {
            request.method = "HEAD";
        }
        request.te = chance(15);
        if (chance(4)) {
            request.upgrade = chance(50) ? Upgrade.IGNORED : Upgrade.OTHER;
        }
        return request.script(script(request));
    }

    private Request withBody() {
        int length = chance(embedded ? 2 : 10) ? random.nextInt(100_000) : random.nextInt(400);
        var request = chance(50) ? Request.post(length) : Request.chunked(length);
        request.filtered = chance(50);
        request.te = chance(10);
        request.expects = chance(15);
        request.small = length <= Request.SMALL && chance(20);
        request.script = script(request).early(chance(10));
        return request;
    }

    private Script script(Request request) {
        var script = Script.ok().status(pick(STATUSES));
        int length = chance(embedded ? 1 : 5) ? random.nextInt(300_000) : random.nextInt(300);
        var framing = pick(FRAMINGS);
        script = script.body(length, framing)
                .trailers(framing == Framing.CHUNKED && chance(30))
                .hints(chance(5))
                .closes(framing == Framing.UNTIL_CLOSE || chance(10));
        if (chance(waiting / 4)) {
            script = script.slow(random.nextInt(20), 1 + random.nextInt(4));
        }
        if (chance(4)) {
            script = script.dies(Death.FIRST_TIME);
        } else if (chance(4)) {
            script = script.dies(chance(50) ? Death.BEFORE_HEAD : chance(50) ? Death.IN_HEAD : Death.NONSENSE);
        }
        return request.isHead() ? script.body(script.length(), Framing.LENGTH) : script;
    }

    /** A request whose answer never comes, or never ends. */
    private Request endless() {
        var request = chance(70) ? forwarded() : withBody();
        var death = request.isHead() || chance(50) ? Death.SILENT : Death.ENDLESS;
        return request.script(Script.ok()
                .body(2 + random.nextInt(1_000), death == Death.SILENT ? Framing.LENGTH : pick(FRAMINGS))
                .dies(death)
                .slow(0, 1 + random.nextInt(3)));
    }

    /** A request with which the connection ends. */
    private Request last() {
        return switch (random.nextInt(11)) {
            case 0 -> {
                var nonsense = pick(NONSENSE);
                yield Request.nonsense(nonsense.bytes(), nonsense.status());
            }
            case 1 -> {
                var request = withBody();
                request.body = Body.CHUNKED;
                request.malformed = Malformed.BODY;
                yield request;
            }
            case 2 -> {
                var request = withBody();
                request.small = true;
                request.bodyLength = Request.SMALL + 1 + random.nextInt(100_000);
                yield request;
            }
            case 3 -> withBody().refused(pick(REFUSALS));
            case 4 -> Request.get().refused(400);
            case 5 -> {
                var request = forwarded();
                request.http10 = true;
                request.upgrade = Upgrade.NO;
                request.keepAlive = chance(50);
                yield chance(20) ? request.refused(pick(REFUSALS)) : request;
            }
            case 6 -> {
                var request = chance(70) ? forwarded() : withBody();
                request.close = true;
                yield chance(20) ? request.refused(pick(REFUSALS)) : request;
            }
            case 7 -> {
                var request = Request.get();
                request.filtered = chance(50);
                yield request.script(Script.ok()
                        .body(2 + random.nextInt(1_000), pick(List.of(Framing.LENGTH, Framing.CHUNKED)))
                        .dies(Death.IN_BODY)
                        .slow(0, 1 + random.nextInt(2)));
            }
            case 8, 9 -> {
                var request = Request.webSocket();
                request.filtered = chance(50);
                request.ahead = chance(30);
                if (chance(30)) {
                    request.script(Script.ok().status(chance(50) ? 403 : 200));
                }
                yield chance(20) ? request.refused(pick(REFUSALS)) : request;
            }
            default -> {
                var request = forwarded();
                request.upgrade = chance(50) ? Upgrade.IGNORED : Upgrade.OTHER;
                yield request.refused(pick(REFUSALS));
            }
        };
    }
}
