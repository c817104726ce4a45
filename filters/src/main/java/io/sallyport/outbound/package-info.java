// SPDX-License-Identifier: Apache-2.0
/**
 * How the gateway fetches what it needs from others: the HTTP client of every such fetch, the one guard of the addresses that it
 * connects to, and the files that hold its credentials. Knows nothing else of ours. Upstreams are not fetched from: their
 * connections are those of {@code forward.upstream}, pinned.
 */
@NullMarked
package io.sallyport.outbound;

import org.jspecify.annotations.NullMarked;
