// SPDX-License-Identifier: Apache-2.0
package io.sallyport.pipeline;

/**
 * The {@code RateLimit} and {@code RateLimit-Policy} field values (draft-ietf-httpapi-ratelimit-headers) for this request,
 * whether it was let pass or not; {@code ResponseHeaders} and the denial writer send them.
 *
 * @param policyField for example {@code "user";q=100;w=60;pk=:b64:}
 * @param stateField for example {@code "user";r=12;t=30;pk=:b64:}
 */
public record RateLimitState(String policyField, String stateField) {}
