// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code routes.<name>.authenticate}: whose tokens a route accepts. */
public record RouteAuthentication(
        @Setting("Names of the issuers whose tokens this route accepts, at least one.")
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
                        "Opens this route: a request whose token is missing or refused is recorded and goes on as anonymous.",
                byDefault = "false")
        boolean insecureObserve) {

    public RouteAuthentication {
        if (issuers.isEmpty() || new HashSet<>(issuers).size() != issuers.size()) {
            throw new InvalidSetting("issuers", issuers, "at least one, each once");
        }
        if (new HashSet<>(audiences).size() != audiences.size()) {
            throw new InvalidSetting("audiences", audiences, "each once");
        }
        issuers = List.copyOf(issuers);
        audiences = List.copyOf(audiences);
    }
}
