// SPDX-License-Identifier: Apache-2.0
/**
 * May this caller do this, now? {@link io.sallyport.authorize.AuthorizeStage} is the policy enforcement point; it asks a
 * {@link io.sallyport.authorize.pdp.PolicyDecisionPoint}, which for rules in the file is {@link io.sallyport.authorize.cel}.
 *
 * <p>Reads: the matched route, its path variables, the principal, the risk score, the request's head. Sets nothing but
 * evidence: which rules decided, and which could not be evaluated.
 *
 * <p>Reasons: {@code authorize.*}. A rule that cannot be evaluated counts as not matched under {@code allow} and as matched under {@code
 * deny}, so rules in the file always decide. A decision point that asks another process may fail to: that is {@code
 * authorize.pdp_unavailable} and denies with 503. The stage also answers for paths and methods that no route has, so that a stranger is asked
 * who they are before they are told what exists.
 *
 * <p>RFC 6750 section 3.1 ({@code insufficient_scope}), RFC 9110 section 15.5.6 (405); the words PEP and PDP are those of
 * XACML and NIST SP 800-207.
 */
@NullMarked
package io.sallyport.authorize;

import org.jspecify.annotations.NullMarked;
