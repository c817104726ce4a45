// SPDX-License-Identifier: Apache-2.0
/**
 * Puts the gateway together as Spring beans: the stages, the seams around them, and the two servers. Holds no rule of its own. The
 * only package that knows a property prefix, and the only one that knows all others; nobody knows it.
 *
 * <p>The file is named by the property {@code sallyport.config} (environment variable {@code SALLYPORT_CONFIG}, argument {@code
 * --sallyport.config=...}), which is the only thing about the gateway that can be said outside of the file. Nothing starts
 * with a file that is not valid: {@link io.sallyport.compile.InvalidConfiguration}, exit code 2.
 *
 * <p>Two servers come of it that share nothing but the process: the ingress port, where {@code wire.IngressHandler} is the only
 * handler, and the management port in Spring Boot's child context.
 */
@NullMarked
package io.sallyport.boot;

import org.jspecify.annotations.NullMarked;
