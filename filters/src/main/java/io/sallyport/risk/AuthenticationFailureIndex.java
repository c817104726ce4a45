// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.sallyport.pipeline.RequestContext;

/** How often authentication failed of late. Whoever sees the outcomes of authentication feeds it. */
@FunctionalInterface
public interface AuthenticationFailureIndex {
    /** The failures of the last minute that speak against this request: of its client's address or of its subject, from 0. */
    int lastMinute(RequestContext context);
}
