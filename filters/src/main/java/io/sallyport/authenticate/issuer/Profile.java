// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.issuer;

/** Which claims an access token must have. */
public enum Profile {
    /** {@code iss}, {@code sub}, {@code aud}, {@code iat} and {@code exp}. */
    DEFAULT,
    /** RFC 9068 section 2: the default, and {@code client_id}, {@code jti}, and {@code typ} {@code at+jwt}. */
    RFC9068
}
