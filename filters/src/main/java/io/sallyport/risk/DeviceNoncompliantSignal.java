// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.sallyport.identity.ClaimPath;
import io.sallyport.identity.Principal;
import io.sallyport.pipeline.RequestContext;
import java.util.Set;

/** The token does not say that the user's device complies. A workload has no device, and an anonymous caller no token. */
record DeviceNoncompliantSignal(ClaimPath claim, Set<String> compliant) implements RiskSignal {
    @Override
    public String code() {
        return "device_noncompliant";
    }

    @Override
    public double degree(RequestContext context) {
        if (!(context.principal() instanceof Principal.Subject subject)) {
            return 0;
        }
        var posture = claim.in(subject.claims());
        // Of the claim's type, too: a list that contains the right word is not the right word.
        boolean complies = (posture instanceof String || posture instanceof Boolean || posture instanceof Number)
                && compliant.contains(posture.toString());
        return complies ? 0 : 1;
    }
}
