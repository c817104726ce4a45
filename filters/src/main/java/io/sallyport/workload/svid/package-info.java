// SPDX-License-Identifier: Apache-2.0
/**
 * Who is the gateway? Its X509-SVID of now and the trust bundles that came with it, whoever brings them: the adapters are beside it,
 * in {@code workload.api} and {@code workload.files}.
 *
 * <p>Without an SVID that is valid now there is none: nobody is spoken to under an old one.
 *
 * <p>SPIFFE X509-SVID, SPIFFE Workload API.
 */
@NullMarked
package io.sallyport.workload.svid;

import org.jspecify.annotations.NullMarked;
