// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.decision.FaultPolicy;
import io.sallyport.decision.Mode;
import io.sallyport.identity.IdentityHeaders;
import io.sallyport.pipeline.StageSection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/**
 * What holds for every request, whatever its route: the section {@code stages.edge}.
 *
 * @param mode only {@code enforce}; the stage knows no other
 * @param onUndecided never; the stage always decides
 * @param identityHeaders see {@link IdentityHeaders}
 */
public record EdgeConfig(
        @Setting("Always enforce.") @Nullable Mode mode,

        @Setting("Not for this stage: it always decides.") @Nullable
        FaultPolicy onUndecided,

        @Setting(value = "The longest request body on routes that do not say max-body themselves.", byDefault = "10MB")
        DataSize maxBody,

        @Setting(
                value =
                        "Further headers that upstreams believe and no client may send, for example X-Corp-User; removed from every request like those that are built in.",
                byDefault = "[]")
        List<String> identityHeaders)
        implements StageSection {

    public EdgeConfig {
        identityHeaders = List.copyOf(identityHeaders);
        if (maxBody.isNegative()) {
            throw new InvalidSetting("max-body", maxBody, "0B or more");
        }
        for (var name : identityHeaders) {
            if (!IdentityHeaders.mayBeAdded(name)) {
                throw new InvalidSetting(
                        "identity-headers",
                        name,
                        "the name of a header of letters, digits and dashes that is neither a credential nor part of every request");
            }
        }
    }
}
