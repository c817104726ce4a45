// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward;

import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells once for each route that its upstream's {@code Access-Control-*} fields do not reach a page, because the route has no section {@code
 * cors}: an application that does its own looks broken otherwise, and nothing says why. For the whole process, like its log. Any thread.
 */
public final class RemovedCors {
    private static final Logger log = LoggerFactory.getLogger(RemovedCors.class);

    /** As many routes as anybody looks at. */
    private static final int MOST = 1_000;

    private static final Set<String> ROUTES = ConcurrentHashMap.newKeySet();

    private RemovedCors() {}

    static void of(String route) {
        if (ROUTES.size() < MOST && ROUTES.add(route)) {
            log.atWarn()
                    .addKeyValue("route", route)
                    .log(
                            "the upstream's Access-Control-* fields are removed, because the route has no section cors; not logged again for this route");
        }
    }

    /** The routes of which that has been told, in their order. */
    public static Set<String> routes() {
        return new TreeSet<>(ROUTES);
    }
}
