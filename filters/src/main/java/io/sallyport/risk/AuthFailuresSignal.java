// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.sallyport.pipeline.RequestContext;

/** Somebody at this address, or with this subject's revoked credentials, is trying. */
record AuthFailuresSignal(SignalsConfig.AuthFailures config, AuthenticationFailureIndex index) implements RiskSignal {
    @Override
    public String code() {
        return "auth_failures";
    }

    @Override
    public double degree(RequestContext context) {
        return Math.min(1.0, (double) index.lastMinute(context) / config.failures());
    }
}
