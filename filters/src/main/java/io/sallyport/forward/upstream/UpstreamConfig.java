// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.forward.identity.UpstreamIdentityConfig;
import io.sallyport.identity.ExpectedId;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Section {@code upstream} of a route: which workload answers it, how it has to prove that it is that workload, and how much
 * it can take. {@link UpstreamTarget#compile} judges what concerns several keys at once.
 */
public record UpstreamConfig(
        @Setting("Scheme, host and port of the upstream, nothing more: https://payments.payments.svc:8443.")
        URI uri,

        @Setting(
                value =
                        "The SPIFFE IDs that the upstream may prove; a whole path segment may be *. Required with https, unless there"
                                + " is a section tls.",
                byDefault = "[]")
        List<ExpectedId> expectedIds,

        @Setting(
                value =
                        "The SPIFFE IDs that expected-ids is to have next. Each handshake is judged by them too: the result is counted and"
                                + " logged, and ends nothing.",
                byDefault = "[]")
        List<ExpectedId> candidateExpectedIds,

        @Setting("How an https upstream without a SPIFFE ID is verified: by a DNS name. Not with expected-ids.")
        @Nullable
        UpstreamTlsConfig tls,

        @Setting(
                value =
                        "What is spoken to the upstream: http1 for HTTP/1.1, or h2 for HTTP/2 alone, which gRPC needs. Over http"
                                + " it is HTTP/2 without asking (prior knowledge).",
                byDefault = "http1")
        UpstreamProtocol protocol,

        @Setting(
                value =
                        "The longest silence of the upstream once it has the request: before its answer, and between two pieces of it; 10ms to 1h.",
                byDefault = "15s")
        Duration timeout,

        @Setting(
                value = "The longest time for connecting, and again for the TLS handshake; 10ms to 1m.",
                byDefault = "2s")
        Duration connectTimeout,

        @Setting(
                value =
                        "How long a connection to the upstream is kept without a request under way; 1s to 10m. Longer saves handshakes, but it"
                                + " has to be shorter than the upstream's own, 5 s for some servers: a request that meets its connection's"
                                + " end is a 502, unless it is a GET, HEAD or OPTIONS without a body, which is sent once more.",
                byDefault = "4s")
        Duration idleTimeout,

        @Setting(
                value =
                        "The longest time that one exchange may take, from the request's head to the answer's end; 1s to 24h. It"
                                + " never takes longer than the caller's token or SVID is valid.",
                byDefault = "1h")
        Duration maxStream,

        @Setting("Stops asking an upstream that keeps failing.") @Nullable
        Breaker circuitBreaker,

        @Setting(
                "How many requests may be under way at the upstream at once, 1 to 100000. Without it there is no limit.")
        @Nullable
        Integer maxConcurrent,

        @Setting(
                value =
                        "Whether the upstream sees the client's host in place of its own authority, with the port that clients use.",
                byDefault = "false")
        boolean preserveHost,

        @Setting(
                value = "Whether the upstream sees the client's Authorization and Cookie. Not on a public route: see"
                        + " forward-credentials.",
                byDefault = "false")
        boolean forwardToken,

        @Setting(
                "What a public route's upstream sees of the client's credentials, to authenticate by itself. Without it nothing.")
        @Nullable
        ForwardCredentialsConfig forwardCredentials,

        @Setting("What the upstream is told of the caller.") @Nullable
        UpstreamIdentityConfig identity,

        @Setting(
                value = "Has to be true for an http upstream: nothing is encrypted, and nobody proves who answers.",
                byDefault = "false")
        boolean insecurePlaintext) {

    private static final Duration SHORTEST = Duration.ofMillis(10);

    public UpstreamConfig {
        expectedIds = List.copyOf(expectedIds);
        candidateExpectedIds = List.copyOf(candidateExpectedIds);
        requireBetween("timeout", timeout, SHORTEST, Duration.ofHours(1), "10ms to 1h");
        requireBetween("connect-timeout", connectTimeout, SHORTEST, Duration.ofMinutes(1), "10ms to 1m");
        requireBetween("idle-timeout", idleTimeout, Duration.ofSeconds(1), Duration.ofMinutes(10), "1s to 10m");
        requireBetween("max-stream", maxStream, Duration.ofSeconds(1), Duration.ofDays(1), "1s to 24h");
        if (maxConcurrent != null && (maxConcurrent < 1 || maxConcurrent > 100_000)) {
            throw new InvalidSetting("max-concurrent", maxConcurrent, "1 to 100000");
        }
    }

    private static void requireBetween(
            String key, Duration value, Duration shortest, Duration longest, String expected) {
        if (value.compareTo(shortest) < 0 || value.compareTo(longest) > 0) {
            throw new InvalidSetting(key, value, expected);
        }
    }

    /**
     * Section {@code circuit-breaker}. A failure is an upstream that could not be reached, did not prove its identity, was too
     * late, broke off, or answered 5xx.
     */
    public record Breaker(
            @Setting(value = "The share of failures that opens the breaker, in percent, 1 to 100.", byDefault = "50")
            int failureRate,

            @Setting(
                    value =
                            "How many of the latest requests the share is taken of, 1 to 10000; before that many it stays closed.",
                    byDefault = "20")
            int minimumCalls,

            @Setting(
                    value =
                            "How long it stays open before it tries the upstream again; 100ms to 1h. Also the Retry-After.",
                    byDefault = "10s")
            Duration openFor,

            @Setting(value = "How many requests it tries then, 1 to 1000.", byDefault = "5")
            int trials) {
        public Breaker {
            requireBetween("failure-rate", failureRate, 100);
            requireBetween("minimum-calls", minimumCalls, 10_000);
            requireBetween("trials", trials, 1000);
            if (openFor.compareTo(Duration.ofMillis(100)) < 0 || openFor.compareTo(Duration.ofHours(1)) > 0) {
                throw new InvalidSetting("open-for", openFor, "100ms to 1h");
            }
        }

        private static void requireBetween(String key, int value, int most) {
            if (value < 1 || value > most) {
                throw new InvalidSetting(key, value, "1 to " + most);
            }
        }
    }
}
