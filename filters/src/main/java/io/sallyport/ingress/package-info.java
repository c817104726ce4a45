// SPDX-License-Identifier: Apache-2.0
/**
 * The one place where the request path is read: {@link io.sallyport.ingress.IngressPipeline} lists the eight stages in
 * their order, who redeems the permit, and who records the outcome.
 */
@NullMarked
package io.sallyport.ingress;

import org.jspecify.annotations.NullMarked;
