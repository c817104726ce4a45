// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.sallyport.pipeline.RequestContext;

/** The client says itself that it is a scanner. Catches the careless only, and costs next to nothing. */
record UaScannerSignal(ScannerNames names) implements RiskSignal {
    @Override
    public String code() {
        return "ua_scanner";
    }

    @Override
    public double degree(RequestContext context) {
        var userAgent = context.head().headers().get(HttpHeaderNames.USER_AGENT);
        return userAgent != null && names.occurIn(userAgent) ? 1 : 0;
    }
}
