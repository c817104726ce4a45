// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.scenarios;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The class meets a gateway each of whose routes lists a filter, so that every request goes through Spring Cloud Gateway; a
 * route without filters goes forward directly.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@interface ThroughFilters {
    /** The field that the filter adds to each answer of an upstream, and so tells that it ran. */
    String FIELD = "X-Way";

    /** One more route of that gateway, with filters that do something. */
    String ROUTE = """
                filtered:
                  match: { hosts: [localhost], path: "/filtered/{tenant}/**", methods: [GET, POST] }
                  authenticate: { issuers: [demo] }
                  authorize: { allow: { own: "token.claims.tenant_id == path.tenant" } }
                  filters:
                    - StripPrefix=1
                    - RewritePath=/(?<tenant>[^/]+)/payments/(?<id>.*), /of/${tenant}/${id}
                    - AddRequestHeader=X-Tenant, {tenant}
                    - AddRequestParameter=page, 2
                    - RemoveRequestHeader=X-Internal
                    - AddResponseHeader=X-Way, filters
                    - RemoveResponseHeader=Content-Type
                    - RequestSize=1KB
                  upstream: UPSTREAM
            """;
}
