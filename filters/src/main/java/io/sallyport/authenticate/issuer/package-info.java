// SPDX-License-Identifier: Apache-2.0
/**
 * Who issues tokens: the sections of {@code issuers}, the {@link io.sallyport.authenticate.issuer.Issuer} that one is compiled
 * to, and the ports by which it gets its keys and answers. Without I/O; the adapters are beside this package.
 */
@NullMarked
package io.sallyport.authenticate.issuer;

import org.jspecify.annotations.NullMarked;
