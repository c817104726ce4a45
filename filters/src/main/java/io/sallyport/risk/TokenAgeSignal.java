// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.sallyport.identity.Principal;
import io.sallyport.pipeline.RequestContext;

/** The longer a token has been about, the more time there was to steal it. */
record TokenAgeSignal(long olderThanSeconds) implements RiskSignal {
    @Override
    public String code() {
        return "token_age";
    }

    @Override
    public double degree(RequestContext context) {
        if (!(context.principal() instanceof Principal.Subject subject)) {
            return 0;
        }
        long age = context.receivedAt().getEpochSecond() - subject.issuedAt().getEpochSecond();
        return age >= olderThanSeconds ? 1 : 0;
    }
}
