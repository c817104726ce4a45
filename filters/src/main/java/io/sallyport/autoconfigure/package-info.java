// SPDX-License-Identifier: Apache-2.0
/**
 * Puts the gateway together: reads the one file, compiles it to a {@link io.sallyport.pipeline.Snapshot}, builds the stages and
 * the seams around it as Spring beans, and swaps the snapshot when the file changes. The only package that knows a
 * property prefix, and the only one that knows all others.
 *
 * <p>The file is named by the property {@code sallyport.config} (environment variable {@code SALLYPORT_CONFIG}, argument {@code
 * --sallyport.config=...}), which is the only thing about the gateway that can be said outside of the file. Nothing starts
 * with a file that is not valid: {@link io.sallyport.autoconfigure.InvalidConfiguration}, exit code 2.
 *
 * <p>Two servers come of it that share nothing but the process: the ingress port, where {@code wire.IngressHandler} is the only
 * handler, and the management port in Spring Boot's child context, where Spring Security guards the actuator.
 */
@NullMarked
package io.sallyport.autoconfigure;

import org.jspecify.annotations.NullMarked;
