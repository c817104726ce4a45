// SPDX-License-Identifier: Apache-2.0
package io.sallyport.compile;

import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.config.Setting;
import io.sallyport.decisionlog.DecisionLogConfig;
import io.sallyport.forward.identity.SigningConfig;
import io.sallyport.management.ManagementConfig;
import io.sallyport.wire.listener.InternalListenerConfig;
import io.sallyport.wire.listener.ListenerConfig;
import io.sallyport.workload.svid.IdentityConfig;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Section {@code sallyport}: each part is declared by the package that it belongs to. */
public record GatewaySettings(
        @Setting(value = "Where the gateway listens.", required = true, readAtStart = true) @Nullable
        ListenerConfig listener,

        @Setting(
                value =
                        "A second listener, for workloads: under the gateway's own X509-SVID, which it shows, and with clients that show"
                                + " theirs. The same routes. Needs identity.",
                readAtStart = true)
        @Nullable
        InternalListenerConfig internalListener,

        @Setting(
                value = "The port for probes, metrics and revocations.",
                readAtStart = true,
                byDefault = "{ insecure-plaintext: true }")
        ManagementConfig management,

        @Setting(
                value =
                        "The gateway's own workload identity, with which it proves itself to upstreams. Required by every route"
                                + " whose upstream has expected-ids, candidate-expected-ids, or tls.client-certificate: svid.",
                readAtStart = true)
        @Nullable
        IdentityConfig identity,

        @Setting(
                value = "The keys by which the gateway signs what upstream.identity tells upstreams of callers.",
                readAtStart = true)
        @Nullable
        SigningConfig signing,

        @Setting(
                value = "Authorization servers whose tokens routes may accept, by a name of your own.",
                byDefault = "{}")
        Map<String, IssuerConfig> issuers,

        @Setting(value = "What holds for a stage on every route.", byDefault = "{}")
        StagesConfig stages,

        @Setting(value = "What is recorded, and where.", byDefault = "{}", readAtStart = true)
        DecisionLogConfig decisionLog,

        @Setting("The routes, by a name of your own: 1 to 64 of a-z, 0-9 and dash.")
        Map<String, RouteSection> routes) {

    /** Whether whatever is not a route is as it is there. */
    boolean isSameButForRoutes(GatewaySettings other) {
        return withoutRoutes().equals(other.withoutRoutes());
    }

    // So that a component that is added to the record is compared too.
    private GatewaySettings withoutRoutes() {
        return new GatewaySettings(
                listener, internalListener, management, identity, signing, issuers, stages, decisionLog, Map.of());
    }

    /** Whether some client may show a certificate. */
    boolean asksForCertificates() {
        return internalListener != null || (listener != null && listener.asksForCertificates());
    }

    /** The listener of a file that is right. */
    public ListenerConfig requireListener() {
        return Objects.requireNonNull(listener, "listener");
    }
}
