// SPDX-License-Identifier: Apache-2.0
package io.sallyport.workload.svid;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.identity.StrictSpiffeId;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Section {@code identity}: where the gateway's own X509-SVID and the trust bundles come from. Exactly one of the two
 * sources.
 */
public record IdentityConfig(
        @Setting(
                "The Unix socket of the SPIFFE Workload API, for example unix:/run/spire/agent-sockets/spire-agent.sock.")
        @Nullable
        URI workloadApi,

        @Setting("PEM files in place of a Workload API, read again whenever they change.") @Nullable
        Files files,

        @Setting(
                value =
                        "How long connections made under the previous SVID are kept after an update, which new requests no longer use; those in use are closed when their answer has ended. 0s to 10m.",
                byDefault = "30s")
        Duration drainAfter,

        @Setting(
                value =
                        "How long a request may go on over a connection whose peer is no longer vouched for, because an authority left its trust domain's bundle, or the gateway's own identity was withdrawn; 0s to 10m. Idle connections are closed at once.",
                byDefault = "60s")
        Duration cutAfter) {

    private static final String SOCKET = "unix: and the absolute path of a socket";
    private static final Duration LONGEST = Duration.ofMinutes(10);

    public IdentityConfig {
        if ((workloadApi == null) == (files == null)) {
            throw new InvalidSetting("", workloadApi == null ? null : "both", "exactly one of workload-api and files");
        }
        if (workloadApi != null && !isUnixSocket(workloadApi)) {
            throw new InvalidSetting("workload-api", workloadApi, SOCKET);
        }
        requireWithinLimits("drain-after", drainAfter);
        requireWithinLimits("cut-after", cutAfter);
    }

    private static void requireWithinLimits(String key, Duration value) {
        if (value.isNegative() || value.compareTo(LONGEST) > 0) {
            throw new InvalidSetting(key, value, "0s to 10m");
        }
    }

    // unix:/path and unix:///path, as the SPIFFE Workload Endpoint standard (section 4) writes them.
    private static boolean isUnixSocket(URI uri) {
        return "unix".equals(uri.getScheme())
                && !uri.isOpaque()
                && uri.getRawAuthority() == null
                && uri.getRawQuery() == null
                && uri.getRawFragment() == null
                && uri.getPath().length() > 1;
    }

    /**
     * The PEM files of an X509-SVID that something else renews.
     *
     * @param federated by the name of the trust domain
     */
    public record Files(
            @Setting("The gateway's X509-SVID, leaf first, then its intermediates.")
            Path svid,

            @Setting("The private key of the SVID, not encrypted: PKCS #8, PKCS #1 or SEC 1; RSA, EC or Ed25519.")
            Path key,

            @Setting("The trust bundle of the SVID's own trust domain.")
            Path bundle,

            @Setting(value = "Bundles of other trust domains, each under the trust domain's name.", byDefault = "{}")
            Map<String, Path> federated) {
        public Files {
            federated = Map.copyOf(federated);
            for (var name : federated.keySet()) {
                if (StrictSpiffeId.parse("spiffe://" + name) == null || name.indexOf('/') >= 0) {
                    throw new InvalidSetting(
                            "federated", name, "names of trust domains, for example partner.example, and their files");
                }
            }
        }
    }
}
