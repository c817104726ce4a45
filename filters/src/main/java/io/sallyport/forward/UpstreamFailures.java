// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.netty.channel.ChannelException;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.codec.CodecException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.sallyport.decision.Denial;
import io.sallyport.decision.Evidence;
import io.sallyport.decision.Reason;
import io.sallyport.forward.upstream.ForwardFailure;
import io.sallyport.forward.upstream.HandshakeMetrics;
import io.sallyport.forward.upstream.PeerProof;
import io.sallyport.forward.upstream.PeerRefused;
import io.sallyport.forward.upstream.StreamOver;
import io.sallyport.forward.upstream.UpstreamProtocolError;
import io.sallyport.forward.upstream.UpstreamSilent;
import io.sallyport.forward.upstream.UpstreamTarget;
import io.sallyport.pipeline.Permit;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import reactor.netty.channel.AbortedException;

/** What an error on the way to or from an upstream means: a reason, evidence, a handshake counted, a lease ended. */
final class UpstreamFailures {
    private static final Pattern ALERT =
            Pattern.compile("(?:SSLV3|TLSV1|TLSV13)_ALERT_[A-Z_]{1,40}|alert: [a-z_]{1,40}");

    private static final Map<Reason, Denial> DENIALS = new EnumMap<>(Reason.class);

    static {
        for (var reason : new Reason[] {
            Reason.FORWARD_FAILED,
            Reason.FORWARD_IDENTITY_MISMATCH,
            Reason.FORWARD_NAME_MISMATCH,
            Reason.FORWARD_PEER_UNTRUSTED,
            Reason.FORWARD_TLS_FAILED,
            Reason.FORWARD_CONNECT_FAILED,
            Reason.FORWARD_CONNECT_TIMEOUT,
            Reason.FORWARD_RESPONSE_TIMEOUT,
            Reason.FORWARD_STREAM_OVER,
            Reason.FORWARD_UPSTREAM_RESET,
            Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR
        }) {
            DENIALS.put(reason, new Denial.UpstreamFailed(reason));
        }
    }

    private UpstreamFailures() {}

    /**
     * Ends the request's lease for a failure of the upstream, and makes a denial of it.
     *
     * @param connected whether there was a verified connection
     */
    static ForwardFailure of(
            Throwable error, Permit permit, UpstreamTarget target, boolean connected, HandshakeMetrics handshakes) {
        var refused = PeerRefused.in(error);
        var reason = refused == null ? reasonOf(error, target, connected) : refused.reason();
        if (refused != null) {
            handshakes.refused(permit.route().name(), reason);
        } else if (reason == Reason.FORWARD_TLS_FAILED || error instanceof SslHandshakeTimeoutException) {
            handshakes.failed(permit.route().name());
        }
        var lease = permit.context().takeLease();
        if (lease != null) {
            if (error instanceof StreamOver) {
                lease.abandoned();
            } else {
                lease.failed(error);
            }
        }
        var denial = Objects.requireNonNull(DENIALS.get(reason), reason.code());
        return new ForwardFailure(denial.with(evidenceOf(error, refused, target)), error);
    }

    private static Evidence evidenceOf(Throwable error, @Nullable PeerRefused refused, UpstreamTarget target) {
        if (refused == null) {
            return Evidence.NONE.with(Evidence.Key.CAUSE, described(error));
        }
        var evidence = Evidence.NONE.with(Evidence.Key.CAUSE, String.valueOf(refused.getMessage()));
        if (target.peer().proof() instanceof PeerProof.Workload workload) {
            evidence = evidence.with(Evidence.Key.UPSTREAM_EXPECTED_IDS, workload.text());
        }
        var detail = refused.detail();
        if (detail != null) {
            evidence = evidence.with(Evidence.Key.DETAIL, detail);
        }
        var actual = refused.actual();
        return actual == null ? evidence : evidence.with(Evidence.Key.UPSTREAM_SPIFFE_ID, actual.toString());
    }

    /**
     * The classes of an error and its causes, and the message where it is the operating system's or ours. Libraries quote what they could
     * not read, and what an upstream sent stands in no record.
     */
    private static String described(Throwable error) {
        if (error instanceof SSLException || error instanceof CodecException) {
            return classesOf(error) + alertOf(error);
        }
        if (error instanceof IOException || error instanceof ChannelException) {
            var cause = error instanceof ChannelException && error.getCause() != null ? error.getCause() : error;
            return cause.toString();
        }
        return classesOf(error);
    }

    private static String classesOf(Throwable error) {
        var cause = error.getCause();
        return cause == null || cause.equals(error)
                ? error.getClass().getName()
                : error.getClass().getName() + ": " + cause.getClass().getName();
    }

    /** The alert by which the upstream ended a handshake: one of a fixed list of words. */
    private static String alertOf(Throwable error) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            var alert = ALERT.matcher(String.valueOf(each.getMessage()));
            if (alert.find()) {
                return " (" + alert.group().toLowerCase(Locale.ROOT) + ")";
            }
        }
        return "";
    }

    private static Reason reasonOf(Throwable error, UpstreamTarget target, boolean connected) {
        return switch (error) {
            case StreamOver _ -> Reason.FORWARD_STREAM_OVER;
            case UpstreamSilent _ -> Reason.FORWARD_RESPONSE_TIMEOUT;
            case UpstreamProtocolError _ -> Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR;
            case ConnectTimeoutException _ -> Reason.FORWARD_CONNECT_TIMEOUT;
            case SslHandshakeTimeoutException _ -> Reason.FORWARD_CONNECT_TIMEOUT;
            // Also after the handshake: with TLS 1.3 the upstream's refusal of our certificate comes as an alert then.
            case SSLException _ -> Reason.FORWARD_TLS_FAILED;
            case DecoderException e when e.getCause() instanceof SSLException -> Reason.FORWARD_TLS_FAILED;
            // No socket can be had: the process is out of file descriptors.
            case ChannelException _ when !connected -> Reason.FORWARD_CONNECT_FAILED;
            case TooLongFrameException _ -> Reason.FORWARD_UPSTREAM_PROTOCOL_ERROR;
            case ClosedChannelException _ when !connected && target.tls() -> Reason.FORWARD_TLS_FAILED;
            case IOException _ -> connected ? Reason.FORWARD_UPSTREAM_RESET : Reason.FORWARD_CONNECT_FAILED;
            default ->
                AbortedException.isConnectionReset(error) ? Reason.FORWARD_UPSTREAM_RESET : Reason.FORWARD_FAILED;
        };
    }
}
