// SPDX-License-Identifier: Apache-2.0
/**
 * Is it too strange? Adds up the weights of what looks wrong about a request, and asks for more the stranger it is: a stronger or
 * fresher authentication, then reading only, then nothing.
 *
 * <p>Reads: principal, client address, {@code User-Agent}, the snapshot's {@link io.sallyport.risk.RiskScoring} and the route's
 * {@link io.sallyport.risk.RiskLadder}. Sets {@link io.sallyport.pipeline.RequestContext#riskScore}, on every route while a signal is
 * declared, so that rules and records can use it where there is no ladder. Reasons: {@code risk.*}. Cannot decide when a signal fails;
 * that is {@code risk.unavailable} and follows {@code on-undecided}.
 *
 * <p>RFC 9470 (step-up authentication challenge).
 */
@NullMarked
package io.sallyport.risk;

import org.jspecify.annotations.NullMarked;
