// SPDX-License-Identifier: Apache-2.0
package io.sallyport.wire.answer;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import tools.jackson.databind.json.JsonMapper;

/** What the gateway answers on a built-in route, compiled; hangs on the route under {@code FORWARD}. */
public sealed interface LocalAnswer {

    /**
     * CORS preflights for one path.
     *
     * @param rules for each method that a page may ask for, by its name, those of its route
     */
    record Preflight(Map<String, CorsRules> rules) implements LocalAnswer {
        public Preflight {
            rules = Map.copyOf(rules);
        }

        /**
         * The preflights of all routes that share a path.
         *
         * @param routes no two of them with a method in common
         */
        public static Preflight of(Collection<CorsRules> routes) {
            var byMethod = new LinkedHashMap<String, CorsRules>();
            for (var rules : routes) {
                rules.methods().forEach(method -> byMethod.put(method.name(), rules));
            }
            return new Preflight(byMethod);
        }
    }

    /** The public keys by which upstreams verify what the gateway signs; those of the moment. */
    enum SigningKeySet implements LocalAnswer {
        SIGNING_KEY_SET
    }

    /**
     * The metadata of the protected resources of one host (RFC 9728 section 3.2): of any path the same, so that it tells nobody which
     * paths there are. Everybody may read it, pages of any origin included.
     */
    final class ProtectedResource implements LocalAnswer {
        private final String origin;
        private final String rest;

        private ProtectedResource(String origin, String rest) {
            this.origin = origin;
            this.rest = rest;
        }

        /**
         * Renders the document.
         *
         * @param origin the URL of the host
         * @param authorizationServers the issuers whose tokens are accepted there, as their {@code iss} says, if there are any
         * @param scopes that the routes there ask for; none if they are not known
         */
        public static ProtectedResource of(URI origin, List<String> authorizationServers, Collection<String> scopes) {
            var document = new LinkedHashMap<String, Object>();
            if (!authorizationServers.isEmpty()) {
                // Workloads with JWT-SVIDs get them from their own agent.
                document.put("authorization_servers", authorizationServers);
            }
            document.put("bearer_methods_supported", List.of("header"));
            if (!scopes.isEmpty()) {
                document.put("scopes_supported", new TreeSet<>(scopes));
            }
            // Behind the one member that differs.
            var rest = JsonMapper.shared().writeValueAsString(document).substring(1);
            return new ProtectedResource("{\"resource\":\"" + origin, "\"," + rest);
        }

        /**
         * The document of the resource with that path.
         *
         * @param path canonical, so that nothing in it needs escaping; empty for the host
         */
        byte[] json(String path) {
            return (origin + path + rest).getBytes(StandardCharsets.US_ASCII);
        }
    }
}
