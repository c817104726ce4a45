// SPDX-License-Identifier: Apache-2.0
/**
 * What the gateway reads from files that others replace while it runs: the configuration, certificates, the gateway's own SVID.
 * {@link io.sallyport.files.FileWatch} is the only code that looks whether they have changed.
 */
@NullMarked
package io.sallyport.files;

import org.jspecify.annotations.NullMarked;
