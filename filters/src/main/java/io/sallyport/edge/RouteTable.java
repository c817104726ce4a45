// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.netty.handler.codec.http.HttpMethod;
import io.sallyport.config.Findings;
import io.sallyport.pipeline.Route;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which route a request names: by host in a hash table, then by path in a trie, then by method. What it costs depends on the
 * length of the path, not on the number of routes.
 *
 * <p>Among the patterns of a host that match a path one decides, found segment by segment from the left: a literal segment
 * goes before {@code {name}} and {@code *}, which are equal, and these before {@code **}; where the more specific branch
 * leads nowhere, the next one is tried. {@code **} matches no segment too, after a pattern that ends there. The order in
 * which routes are written means nothing.
 *
 * <p>The method is compared last and only with the routes of the pattern found: a specific path that does not take a method
 * is not served by a general one that does, because that other route has other rules.
 */
public final class RouteTable {

    /** One route with what it is for. */
    public static final class Entry {
        private final Match match;
        private final PathPattern path;
        private final Set<HttpMethod> methods;

        /** One whose paths have nothing that a route has to let pass. */
        public Entry(Route route, PathPattern path, Set<HttpMethod> methods) {
            this(route, path, methods, PathRules.STRICT);
        }

        /** @param methods at least one */
        public Entry(Route route, PathPattern path, Set<HttpMethod> methods, PathRules paths) {
            this.match = new Match(route, path, Set.of(), paths);
            this.path = path;
            this.methods = Set.copyOf(methods);
            if (methods.isEmpty()) {
                throw new IllegalArgumentException(
                        "methods of route %s: none (expected: at least one)".formatted(route));
            }
        }

        /** The route, which knows its host. */
        public Route route() {
            return match.route();
        }

        public PathPattern path() {
            return path;
        }
    }

    /**
     * What a request names.
     *
     * @param route one of the kind {@code UNMATCHED} if the host has no route for the request
     * @param pattern null on an unmatched route
     * @param allowedMethods on an unmatched route, those of the routes that have its path
     * @param paths what the route lets pass; nothing, on an unmatched route
     */
    record Match(Route route, @Nullable PathPattern pattern, Set<HttpMethod> allowedMethods, PathRules paths) {
        static Match nothing(Route unmatched, Set<HttpMethod> allowedMethods) {
            return new Match(unmatched, null, allowedMethods, PathRules.STRICT);
        }
    }

    private final Map<String, Host> hosts;

    private RouteTable(Map<String, Host> hosts) {
        this.hosts = hosts;
    }

    /**
     * Compiles the routes of all hosts.
     *
     * @param entries built-in routes included
     * @param unmatched for each host of the entries the route for whatever nothing matches
     * @param at where routes are written; a finding is added below the name of the route that is at fault
     * @return null, with findings added, if two routes take the same host, path and method
     * @throws IllegalArgumentException if a host has no unmatched route, or two
     */
    public static @Nullable RouteTable compile(List<Entry> entries, List<Route> unmatched, Findings.Place at) {
        return compile(entries, unmatched, null, at);
    }

    /**
     * Compiles the routes of all hosts, as the successor of another table.
     *
     * @param before an earlier table, with which what the entries that are in both lead to is shared; null for none
     */
    public static @Nullable RouteTable compile(
            List<Entry> entries, List<Route> unmatched, @Nullable RouteTable before, Findings.Place at) {
        var nothingMatched = new HashMap<String, Route>();
        for (var route : unmatched) {
            if (route.kind() != Route.Kind.UNMATCHED || nothingMatched.put(route.host(), route) != null) {
                throw new IllegalArgumentException(
                        "unmatched route %s: %s (expected: one for each host)".formatted(route, route.kind()));
            }
        }
        var roots = new LinkedHashMap<String, Branch>();
        boolean sound = true;
        for (var entry : entries) {
            var root = roots.computeIfAbsent(entry.route().host(), _ -> new Branch());
            sound &= root.add(entry, at);
        }
        if (!sound) {
            return null;
        }
        var hosts = HashMap.<String, Host>newHashMap(roots.size());
        roots.forEach((host, root) -> {
            var route = nothingMatched.get(host);
            if (route == null) {
                throw new IllegalArgumentException("host %s has no unmatched route".formatted(host));
            }
            var earlier = before == null ? null : before.host(host);
            hosts.put(
                    host,
                    new Host(Match.nothing(route, Set.of()), root.freeze(earlier == null ? null : earlier.root())));
        });
        return new RouteTable(hosts);
    }

    /**
     * Adds a finding for each two entries that take the same host, path and method. For a file that is wrong in another way too, of which no
     * table is made.
     *
     * @param at where routes are written
     */
    public static void requireDistinct(List<Entry> entries, Findings.Place at) {
        var roots = new HashMap<String, Branch>();
        for (var entry : entries) {
            roots.computeIfAbsent(entry.route().host(), _ -> new Branch()).add(entry, at);
        }
    }

    /** The routes of that host, in lower case and without port, or null if there are none. */
    @Nullable
    Host host(String name) {
        return hosts.get(name);
    }

    /** The routes of one host. */
    record Host(Match nothing, Node root) {

        /** What a canonical path and a method name here. */
        Match find(String path, HttpMethod method) {
            // A slash at the end takes no part.
            int end = path.charAt(path.length() - 1) == '/' ? path.length() - 1 : path.length();
            var leaf = root.find(path, 0, end);
            return leaf == null ? nothing : leaf.match(method, nothing.route());
        }
    }

    /** What ends at one place of the trie: the routes of one pattern, one for each method. */
    private static final class Leaf {
        private final HttpMethod[] methods;
        private final Match[] matches;
        private final Set<HttpMethod> allowed;

        Leaf(Map<HttpMethod, Entry> entries) {
            this.methods = entries.keySet().toArray(HttpMethod[]::new);
            this.matches = new Match[methods.length];
            for (int i = 0; i < methods.length; i++) {
                matches[i] = Objects.requireNonNull(entries.get(methods[i])).match;
            }
            this.allowed = Set.copyOf(entries.keySet());
        }

        /** @param unmatched what answers a method that no route takes */
        Match match(HttpMethod method, Route unmatched) {
            for (int i = 0; i < methods.length; i++) {
                if (methods[i].equals(method)) {
                    return matches[i];
                }
            }
            return Match.nothing(unmatched, allowed);
        }

        @SuppressWarnings("ReferenceEquality") // an entry that was taken over has its one match with it
        boolean isOf(Map<HttpMethod, Entry> entries) {
            if (entries.size() != methods.length) {
                return false;
            }
            for (int i = 0; i < methods.length; i++) {
                var entry = entries.get(methods[i]);
                if (entry == null || entry.match != matches[i]) {
                    return false;
                }
            }
            return true;
        }
    }

    /** One place of the trie, immutable. Literal children are found by the characters of the path, without a substring. */
    private static final class Node {
        private static final String[] NO_LITERALS = {};
        private static final Node[] NO_CHILDREN = {};

        private final @Nullable Leaf end;
        private final @Nullable Leaf rest;
        private final @Nullable Node single;
        private final String[] literals;
        private final Node[] children;
        private final int size;
        private final int mask;

        /** @param byLiteral a child for each of the names, in their order */
        Node(@Nullable Leaf end, @Nullable Leaf rest, @Nullable Node single, String[] names, Node[] byLiteral) {
            this.end = end;
            this.rest = rest;
            this.single = single;
            // At most half full, so that a search ends soon.
            int slots = names.length == 0 ? 0 : Integer.highestOneBit(names.length) * 4;
            this.size = names.length;
            this.literals = slots == 0 ? NO_LITERALS : new String[slots];
            this.children = slots == 0 ? NO_CHILDREN : new Node[slots];
            this.mask = slots - 1;
            for (int i = 0; i < names.length; i++) {
                int slot = slotOf(names[i].hashCode());
                while (literals[slot] != null) {
                    slot = (slot + 1) & mask;
                }
                literals[slot] = names[i];
                children[slot] = byLiteral[i];
            }
        }

        @SuppressWarnings("ReferenceEquality") // nodes and leaves that are as they were are the same objects
        boolean isOf(@Nullable Leaf end, @Nullable Leaf rest, @Nullable Node single, String[] names, Node[] byLiteral) {
            if (this.end != end || this.rest != rest || this.single != single || size != names.length) {
                return false;
            }
            for (int i = 0; i < names.length; i++) {
                if (child(names[i]) != byLiteral[i]) {
                    return false;
                }
            }
            return true;
        }

        @Nullable
        Node child(String literal) {
            return child(literal, 0, literal.length());
        }

        private int slotOf(int hash) {
            return (hash ^ (hash >>> 16)) & mask;
        }

        /** The leaf for what follows {@code path[0, at)}; at a slash, or at the end. */
        @Nullable
        Leaf find(String path, int at, int pathEnd) {
            if (at >= pathEnd) {
                return end == null ? rest : end;
            }
            int slash = path.indexOf('/', at + 1);
            int next = slash < 0 ? pathEnd : slash;
            var literal = child(path, at + 1, next);
            if (literal != null) {
                var leaf = literal.find(path, next, pathEnd);
                if (leaf != null) {
                    return leaf;
                }
            }
            if (single != null) {
                var leaf = single.find(path, next, pathEnd);
                if (leaf != null) {
                    return leaf;
                }
            }
            return rest;
        }

        private @Nullable Node child(String path, int from, int to) {
            if (literals.length == 0) {
                return null;
            }
            // As String#hashCode.
            int hash = 0;
            for (int i = from; i < to; i++) {
                hash = 31 * hash + path.charAt(i);
            }
            int length = to - from;
            int slot = slotOf(hash);
            for (var literal = literals[slot]; literal != null; literal = literals[slot]) {
                if (literal.length() == length && path.startsWith(literal, from)) {
                    return children[slot];
                }
                slot = (slot + 1) & mask;
            }
            return null;
        }
    }

    /** One place of the trie while it is built. Most have one child or one route alone, so that maps are made when needed. */
    private static final class Branch {
        private Map<String, Branch> byLiteral = Map.of();
        private @Nullable Branch single;
        private Map<HttpMethod, Entry> end = Map.of();
        private Map<HttpMethod, Entry> rest = Map.of();

        /** Adds a route, or a finding that names the one that is there already. */
        boolean add(Entry entry, Findings.Place at) {
            var branch = this;
            boolean open = false;
            for (var segment : entry.path().segments()) {
                switch (segment) {
                    case PathPattern.Segment.Literal(String literal) -> branch = branch.literalBranch(literal);
                    case PathPattern.Segment.Variable _, PathPattern.Segment.Any _ -> branch = branch.singleBranch();
                    case PathPattern.Segment.Rest _ -> open = true;
                }
            }
            boolean sound = true;
            for (var method : entry.methods) {
                var other = branch.take(method, entry, open);
                if (other != null) {
                    sound = false;
                    at.child(entry.route().name())
                            .child("match")
                            .reject(
                                    "%s %s%s".formatted(method, entry.route().host(), entry.path()),
                                    "what no other route takes; route %s takes %s%s"
                                            .formatted(
                                                    other.route().name(),
                                                    other.route().host(),
                                                    other.path()));
                }
            }
            return sound;
        }

        /** Returns the route that is there already, which stays. */
        private @Nullable Entry take(HttpMethod method, Entry entry, boolean open) {
            var taken = open ? rest : end;
            if (taken.isEmpty()) {
                taken = LinkedHashMap.newLinkedHashMap(entry.methods.size());
                if (open) {
                    rest = taken;
                } else {
                    end = taken;
                }
            }
            return taken.putIfAbsent(method, entry);
        }

        private Branch literalBranch(String literal) {
            var branch = byLiteral.get(literal);
            if (branch == null) {
                branch = new Branch();
                if (byLiteral.isEmpty()) {
                    byLiteral = LinkedHashMap.newLinkedHashMap(1);
                }
                byLiteral.put(literal, branch);
            }
            return branch;
        }

        private Branch singleBranch() {
            var branch = single;
            if (branch == null) {
                branch = new Branch();
                single = branch;
            }
            return branch;
        }

        /**
         * Makes what is built immutable.
         *
         * @param before what stood at this place in the earlier table: whatever is as it was is the same object again, so that
         *     it need not be kept twice
         */
        Node freeze(@Nullable Node before) {
            var frozenEnd = leaf(end, before == null ? null : before.end);
            var frozenRest = leaf(rest, before == null ? null : before.rest);
            var frozenSingle = single == null ? null : single.freeze(before == null ? null : before.single);
            var names = byLiteral.keySet().toArray(String[]::new);
            var children = new Node[names.length];
            for (int i = 0; i < names.length; i++) {
                var earlier = before == null ? null : before.child(names[i]);
                children[i] = Objects.requireNonNull(byLiteral.get(names[i])).freeze(earlier);
            }
            return before != null && before.isOf(frozenEnd, frozenRest, frozenSingle, names, children)
                    ? before
                    : new Node(frozenEnd, frozenRest, frozenSingle, names, children);
        }

        private static @Nullable Leaf leaf(Map<HttpMethod, Entry> entries, @Nullable Leaf before) {
            if (entries.isEmpty()) {
                return null;
            }
            return before != null && before.isOf(entries) ? before : new Leaf(entries);
        }
    }
}
