// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire;

import io.sallyport.pipeline.Admission;
import io.sallyport.pipeline.RequestContext;

/** A request, and what was said of it; a refusal has been recorded. */
record Judged(RequestContext context, Admission admission) {}
