// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import io.sallyport.pipeline.Permit;

/** Redeems a permit: the only way from a permitted request to an answer. */
@FunctionalInterface
public interface Forwarder {
    /** Forwards one request, and ends its exchange. Throws nothing that matters: an exception is a failure of the exchange. */
    void forward(Permit permit, ClientExchange client);
}
