// SPDX-License-Identifier: Apache-2.0
/**
 * The other port: probes, metrics and the deny-list, and who may use them. It shares nothing with the ingress port but the process:
 * its server is in Spring Boot's child context, where Spring Security guards the actuator.
 *
 * <p>Knows nothing of how a configuration is compiled: what is in force is handed to it as suppliers.
 */
@NullMarked
package io.sallyport.management;

import org.jspecify.annotations.NullMarked;
