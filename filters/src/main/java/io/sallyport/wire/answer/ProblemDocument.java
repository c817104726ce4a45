// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.AsciiString;
import io.sallyport.decision.Denial;
import io.sallyport.decision.PolicyName;
import io.sallyport.decision.PublicCode;
import io.sallyport.decision.Reason;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a client reads of a refusal (RFC 9457): the public code, its title, the status and the request id, nothing finer. All
 * but the id is rendered once for each reason.
 */
final class ProblemDocument {
    /** Where the public codes are explained; the code follows. */
    static final String TYPE_BASE = "https://sallyport.io/errors/";

    /** The registered type of an exceeded quota (draft-ietf-httpapi-ratelimit-headers). */
    private static final String QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded";

    static final AsciiString MEDIA_TYPE = AsciiString.cached("application/problem+json");

    private static final int ID_LENGTH = 36;
    private static final byte[] END = ascii("\"}");

    private static final Map<Reason, ProblemDocument> BY_REASON = new EnumMap<>(Reason.class);
    private static final Map<Reason, ProblemDocument> QUOTA_BY_REASON = new EnumMap<>(Reason.class);

    static {
        for (var reason : Reason.values()) {
            BY_REASON.put(
                    reason,
                    new ProblemDocument(reason, TYPE_BASE + reason.publicCode().code()));
            if (reason.publicCode() == PublicCode.RATE_LIMITED) {
                QUOTA_BY_REASON.put(reason, new ProblemDocument(reason, QUOTA_EXCEEDED));
            }
        }
    }

    private final HttpResponseStatus status;
    private final byte[] start;

    // Nothing here needs escaping: titles and codes are constants of ours, which ProblemDocumentTest parses one by one.
    private ProblemDocument(Reason reason, String type) {
        this.status = HttpResponseStatus.valueOf(reason.status());
        this.start = ascii("{\"type\":\"%s\",\"title\":\"%s\",\"status\":%d,\"instance\":\"urn:uuid:"
                .formatted(type, reason.publicCode().title(), reason.status()));
    }

    static ProblemDocument of(Denial denial) {
        var reason = denial.reason();
        var document = denial instanceof Denial.Throttled throttled
                        && !throttled.policies().isEmpty()
                ? QUOTA_BY_REASON.get(reason)
                : BY_REASON.get(reason);
        if (document == null) {
            throw new IllegalStateException("no problem document for " + reason.code());
        }
        return document;
    }

    HttpResponseStatus status() {
        return status;
    }

    /** The document for this one refusal, in one buffer of exactly its size. */
    ByteBuf render(ByteBufAllocator allocator, Denial denial, String requestId) {
        var end = end(denial);
        var body = allocator.buffer(start.length + ID_LENGTH + end.length);
        body.writeBytes(start);
        ByteBufUtil.writeAscii(body, requestId);
        return body.writeBytes(end);
    }

    /** How long {@link #render} will be. */
    int length(Denial denial) {
        return start.length + ID_LENGTH + end(denial).length;
    }

    private static byte[] end(Denial denial) {
        return denial instanceof Denial.Throttled throttled
                        && !throttled.policies().isEmpty()
                ? violated(throttled.policies())
                : END;
    }

    private static byte[] violated(List<PolicyName> policies) {
        return ascii(policies.stream()
                .map(PolicyName::value)
                .collect(Collectors.joining("\",\"", "\",\"violated-policies\":[\"", "\"]}")));
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
