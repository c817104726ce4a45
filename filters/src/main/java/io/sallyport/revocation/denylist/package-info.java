// SPDX-License-Identifier: Apache-2.0
/**
 * The deny-list: its entries, the index that requests read, and the port {@link io.sallyport.revocation.denylist.DenyListStore} by
 * which it is changed. In memory, without I/O; the adapters that keep it are beside this package.
 */
@NullMarked
package io.sallyport.revocation.denylist;

import org.jspecify.annotations.NullMarked;
