// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.model;

import io.sallyport.wire.model.Packet.Wait;
import io.sallyport.wire.model.Request.Malformed;
import io.sallyport.wire.model.Request.Upgrade;
import io.sallyport.wire.model.Script.Death;
import io.sallyport.wire.model.Script.Framing;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What may come of one request, whatever comes of the others. */
final class Expectation {
    private final Request request;
    private final Script script;

    /** Whether no upstream may get the whole request: its body never ends, or is refused. */
    private final boolean neverWhole;

    /** Whether the client sends something behind a request for another protocol without waiting for the answer. */
    private final boolean goesOn;

    /** @param next the request that follows on the connection, or null */
    Expectation(Request request, @Nullable Request next) {
        this.request = request;
        this.script = request.script;
        this.goesOn = request.upgrade == Upgrade.ALLOWED
                && (request.ahead || (!request.sendsFrames() && next != null && next.before != Wait.Earlier.EARLIER));
        this.neverWhole = request.malformed == Malformed.BODY || request.isTooLarge();
    }

    /** Checks everything of a response but its place. */
    void check(Response response, int number, boolean stopped) {
        require(!response.http10 || request.http10, "a response of HTTP/1.0", response);
        // RFC 9112 section 6.1
        require(
                !request.http10 || response.field("transfer-encoding") == null,
                "a transfer coding in HTTP/1.0",
                response);
        for (int status : response.informational) {
            boolean asked = status == 100 ? request.expects && request.hasBody() : script.hints();
            require(
                    asked && request.isForwarded() && !request.http10,
                    "an informational response that nobody asked for: " + status,
                    response);
        }
        if (!response.isUpstreams()) {
            boolean cut = stopped && script.death() == Death.SILENT && response.status == 503;
            require(cut || gatewaysOwn().contains(response.status), "not what may be answered", response);
            return;
        }
        require(
                response.status == script.status()
                        && request.isForwarded()
                        && (script.death() == Death.NEVER
                                || (script.death() == Death.FIRST_TIME && request.isRepeatable()))
                        && (!neverWhole || script.early()),
                "not what may be answered",
                response);
        var id = String.valueOf(response.field("x-echo"));
        require(id.endsWith("-" + number), "the answer to another request", response);
        // RFC 9110 section 15.2
        require(
                !script.hints() || request.http10 || response.informational.contains(103),
                "an informational response that was lost",
                response);
        int length = script.hasBody(request.method) && response.status != 101 ? script.length() : 0;
        require(
                Arrays.equals(response.body.toByteArray(), Script.body(id, length)),
                "not the upstream's body",
                response);
        var trailer = response.trailer("x-trailer");
        boolean trailers = script.trailers() && script.framing() == Framing.CHUNKED;
        require(trailer == null || (trailers && trailer.equals(id)), "not the upstream's trailers", response);
    }

    /** The statuses that the gateway itself may answer with. */
    private Set<Integer> gatewaysOwn() {
        if (request.malformed == Malformed.HEAD) {
            return Set.of(request.nonsenseStatus);
        }
        var statuses = new TreeSet<Integer>();
        if (request.malformed == Malformed.BODY) {
            statuses.add(400);
        }
        if (request.refusal != 0) {
            statuses.add(request.refusal);
        } else if (request.preflight) {
            statuses.add(204);
        } else {
            if (request.isTooLarge()) {
                statuses.add(413);
            }
            if (goesOn) {
                statuses.add(400);
            }
            if ((script.death() != Death.NEVER && !script.isEndless()) || breaksBody()) {
                statuses.add(502);
            }
        }
        return statuses;
    }

    /** Whether the upstream closes its connection under the request's body. */
    private boolean breaksBody() {
        return script.early() && script.closes() && request.hasBody();
    }

    /**
     * Whether the connection ends with this response. Where that is the gateway's choice the response says so.
     *
     * @param stopped whether the gateway has been told to stop
     */
    boolean endsWith(Response response, boolean stopped) {
        boolean own = !response.isUpstreams();
        boolean must = request.close
                || (request.http10 && (!request.keepAlive || response.untilClose))
                || request.malformed != Malformed.NO
                || request.upgrade == Upgrade.ALLOWED
                || (own && request.refusal != 0 && (request.hasBody() || request.upgrade != Upgrade.NO))
                || (own && (response.status == 400 || request.isTooLarge()));
        boolean may = request.http10
                || stopped
                || request.upgrade != Upgrade.NO
                || (request.hasBody() && (own || script.early() || request.expects));
        boolean says = response.saysClose() || (request.http10 && !response.saysKeepAlive());
        require(must || may || !says, "the connection ends for no reason", response);
        // What a body turns out to be when its request has been answered could not be said in the answer.
        boolean known = own || !neverWhole;
        require(!must || says || !known || response.status == 101, "the connection ends without saying so", response);
        return must || says;
    }

    /** Whether the connection may end behind the response without a word: what was left of the request was not read. */
    boolean mayEndUnsaid() {
        return script.early() && request.hasBody();
    }

    /** Whether the client may see the answer break off. */
    boolean mayBreak(boolean stopped) {
        return request.isForwarded()
                && ((stopped && script.isEndless())
                        || script.death() == Death.IN_BODY
                        || (script.early() && neverWhole)
                        || breaksBody()
                        || goesOn);
    }

    /** How often the request may begin to arrive at an upstream. One that is safe to repeat may be sent once more. */
    int mostAttempts() {
        if (!request.isForwarded()) {
            return 0;
        }
        return request.isRepeatable() && (script.death() == Death.BEFORE_HEAD || script.death() == Death.FIRST_TIME)
                ? 2
                : 1;
    }

    /** Whether an upstream may read the whole request. */
    boolean mayBeWhole() {
        return !neverWhole;
    }

    /** Whether an upstream has read the whole request before it gave that response. */
    boolean mustBeWhole(Response response) {
        return response.isUpstreams() && !script.early();
    }

    private static void require(boolean condition, String otherwise, Response response) {
        if (!condition) {
            throw new Violation(otherwise + ": " + response);
        }
    }
}
