// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.issuer.Profile;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.identity.ExpectedId;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code routes.<name>.authenticate}: whose tokens a route accepts, and which workloads by their certificate. */
public record RouteAuthentication(
        @Setting(
                value =
                        "Names of the issuers whose tokens this route accepts. May be left out where there are client-spiffe-ids.",
                byDefault = "[]")
        List<String> issuers,

        @Setting(
                value =
                        "The audiences that this route accepts, each one of an issuer's own. May be left out where each "
                                + "issuer has just one.",
                byDefault = "[]")
        List<String> audiences,

        @Setting("Which claims a token must have on this route: default or rfc9068. Absent: as the issuer says.")
        @Nullable
        Profile profile,

        @Setting(
                value =
                        "The SPIFFE IDs of the workloads that this route accepts by their client certificate (X509-SVID); a "
                                + "whole path segment may be *. A request with Authorization is judged by that alone if the "
                                + "route has issuers as well. Needs an internal-listener, or listener.tls.client-certificates.",
                byDefault = "[]")
        List<ExpectedId> clientSpiffeIds,

        @Setting(
                value =
                        "Opens this route: a request whose token is missing or refused is recorded and goes on as anonymous.",
                byDefault = "false")
        boolean insecureObserve) {

    public RouteAuthentication {
        if (new HashSet<>(issuers).size() != issuers.size()) {
            throw new InvalidSetting("issuers", issuers, "each once");
        }
        if (issuers.isEmpty() && clientSpiffeIds.isEmpty()) {
            throw new InvalidSetting("issuers", issuers, "at least one, or else client-spiffe-ids");
        }
        if (issuers.isEmpty() && !audiences.isEmpty()) {
            throw new InvalidSetting("audiences", audiences, "nothing, because no issuer's tokens are accepted");
        }
        if (issuers.isEmpty() && profile != null) {
            throw new InvalidSetting("profile", profile, "nothing, because no issuer's tokens are accepted");
        }
        if (new HashSet<>(clientSpiffeIds).size() != clientSpiffeIds.size()) {
            throw new InvalidSetting("client-spiffe-ids", clientSpiffeIds, "each once");
        }
        if (new HashSet<>(audiences).size() != audiences.size()) {
            throw new InvalidSetting("audiences", audiences, "each once");
        }
        issuers = List.copyOf(issuers);
        audiences = List.copyOf(audiences);
        clientSpiffeIds = List.copyOf(clientSpiffeIds);
    }
}
