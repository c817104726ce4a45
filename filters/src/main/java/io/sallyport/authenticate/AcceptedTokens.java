// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.issuer.Issuer;
import io.sallyport.authenticate.issuer.Profile;
import io.sallyport.authenticate.jose.MediaType;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.config.Findings;
import io.sallyport.decision.Reason;
import io.sallyport.decision.Verdict;
import io.sallyport.identity.ExpectedIds;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which tokens one route on one host accepts, which workloads by their certificate, and what it answers to others: the compiled
 * settings of {@code authenticate} on a route that is not public.
 */
public final class AcceptedTokens {
    /** What is accepted of one issuer. */
    record Acceptance(Issuer issuer, Profile profile, Set<String> audiences) {
        Acceptance {
            audiences = Set.copyOf(audiences);
        }

        /** Whether a JWT that says it is of that issuer is only for the issuer to read: none of its keys is known here. */
        boolean isAskedAboutJwtsOf(@Nullable String iss) {
            return !issuer.hasKeys() && issuer.issuer().equals(iss);
        }
    }

    private final Map<String, Acceptance> byIssuer;
    private final List<Acceptance> ofAnyTenant;
    private final Set<SignatureAlgorithm> algorithms;
    private final boolean takesSvids;
    private final @Nullable Acceptance opaque;
    private final ExpectedIds workloads;
    private final AuthenticateDenials denials;

    private AcceptedTokens(
            Map<String, Acceptance> byIssuer,
            List<Acceptance> ofAnyTenant,
            ExpectedIds workloads,
            URI resourceMetadata,
            String realm) {
        this.byIssuer = byIssuer;
        this.ofAnyTenant = List.copyOf(ofAnyTenant);
        this.takesSvids = byIssuer.values().stream()
                .anyMatch(accepted -> accepted.issuer().trustDomain() != null);
        var introspecting = byIssuer.values().stream()
                .filter(accepted -> accepted.issuer().opaqueTokens() != null)
                .toList();
        // An opaque token does not say whose it is, and is shown to nobody else:
        // on a host with several such issuers it is good on the routes of one, and not where no route matches.
        this.opaque = introspecting.size() == 1 ? introspecting.getFirst() : null;
        this.workloads = workloads;
        this.algorithms = new HashSet<>();
        for (var algorithm : SignatureAlgorithm.values()) {
            if (Stream.concat(byIssuer.values().stream(), ofAnyTenant.stream())
                    .anyMatch(accepted -> accepted.issuer().allows(algorithm))) {
                algorithms.add(algorithm);
            }
        }
        this.denials = new AuthenticateDenials(takesTokens(), takesCertificates(), resourceMetadata, realm);
    }

    /**
     * Compiles a route's {@code authenticate} for one of its hosts.
     *
     * @param issuers the compiled ones, by name
     * @param resourceMetadata where this resource's metadata is served (RFC 9728), for the challenges
     * @param realm printable ASCII without quote and backslash: the host
     * @param at the section
     * @return null, with findings added, if it is wrong
     */
    public static @Nullable AcceptedTokens compile(
            RouteAuthentication section,
            Map<String, Issuer> issuers,
            URI resourceMetadata,
            String realm,
            Findings.Place at) {
        var accepted = new LinkedHashMap<String, Acceptance>();
        var ofAnyTenant = new ArrayList<Acceptance>();
        var unclaimed = new HashSet<>(section.audiences());
        var wrong = false;
        for (int i = 0; i < section.issuers().size(); i++) {
            var name = section.issuers().get(i);
            var issuer = issuers.get(name);
            if (issuer == null) {
                at.child("issuers").element(i).reject(name, "one of issuers: " + List.copyOf(issuers.keySet()));
                wrong = true;
                continue;
            }
            var audiences = issuer.clients().isEmpty() ? audiencesOf(issuer, section, at) : Set.<String>of();
            wrong |= audiences.isEmpty() && issuer.clients().isEmpty();
            unclaimed.removeAll(audiences);
            var profile = section.profile() == null ? issuer.profile() : section.profile();
            if (profile == Profile.RFC9068 && !issuer.allowsType(MediaType.ACCESS_TOKEN)) {
                at.child("profile").reject("rfc9068", "default, because types of issuer " + name + " lacks at+jwt");
                wrong = true;
            }
            for (var each : issuer.each()) {
                accepted.put(each.issuer(), new Acceptance(each, profile, audiences));
            }
            if (issuer.anyTenant() != null) {
                ofAnyTenant.add(new Acceptance(issuer, profile, audiences));
            }
        }
        if (accepted.values().stream()
                        .filter(each -> each.issuer().opaqueTokens() != null)
                        .count()
                > 1) {
            at.child("issuers")
                    .reject(
                            section.issuers(),
                            "one with introspection at most: an opaque token does not say whose it is");
            wrong = true;
        }
        if (!wrong && !unclaimed.isEmpty()) {
            at.child("audiences").reject(section.audiences(), "audiences of " + section.issuers() + " alone");
            wrong = true;
        }
        return wrong
                ? null
                : new AcceptedTokens(
                        accepted, ofAnyTenant, ExpectedIds.of(section.clientSpiffeIds()), resourceMetadata, realm);
    }

    private static Set<String> audiencesOf(Issuer issuer, RouteAuthentication section, Findings.Place at) {
        if (section.audiences().isEmpty()) {
            if (issuer.audiences().size() > 1) {
                // A token for one API behind the issuer would open every other.
                at.child("audiences").reject(null, "some of those of issuer " + issuer.name() + ", which has several");
                return Set.of();
            }
            return issuer.audiences();
        }
        var audiences = new HashSet<>(section.audiences());
        audiences.retainAll(issuer.audiences());
        if (audiences.isEmpty()) {
            at.child("audiences").reject(section.audiences(), "at least one of issuer " + issuer.name());
        }
        return audiences;
    }

    /**
     * For what is known of a host but not matched by a route: every credential that some route of the host accepts, so that a caller
     * learns no more there than a stranger does elsewhere.
     *
     * @param routesOfHost at least one
     */
    public static AcceptedTokens unmatched(
            Collection<AcceptedTokens> routesOfHost, URI resourceMetadata, String realm) {
        var union = union(routesOfHost);
        var workloads = ExpectedIds.union(
                routesOfHost.stream().map(route -> route.workloads).toList());
        var ofAnyTenant = routesOfHost.stream()
                .flatMap(route -> route.ofAnyTenant.stream())
                .distinct()
                .toList();
        if (union.isEmpty() && ofAnyTenant.isEmpty() && workloads.isEmpty()) {
            throw new IllegalArgumentException("routes of the host: none accepts callers (expected: at least one)");
        }
        return new AcceptedTokens(union, ofAnyTenant, workloads, resourceMetadata, realm);
    }

    private static Map<String, Acceptance> union(Collection<AcceptedTokens> routes) {
        var union = new LinkedHashMap<String, Acceptance>();
        for (var route : routes) {
            route.byIssuer.forEach((iss, accepted) -> union.merge(iss, accepted, AcceptedTokens::either));
        }
        return union;
    }

    private static Acceptance either(Acceptance one, Acceptance other) {
        if (one.equals(other)) {
            return one;
        }
        var audiences = new HashSet<>(one.audiences());
        audiences.addAll(other.audiences());
        return new Acceptance(
                one.issuer(), one.profile() == other.profile() ? one.profile() : Profile.DEFAULT, audiences);
    }

    /** The exact {@code iss} of every issuer whose tokens are accepted, as far as it is an address. */
    public List<String> authorizationServers() {
        return authorizationServers(List.of(this));
    }

    /** The exact {@code iss} of every issuer whose tokens some of these routes accept: {@code authorization_servers} of RFC 9728. */
    public static List<String> authorizationServers(Collection<AcceptedTokens> routes) {
        return union(routes).values().stream()
                .map(Acceptance::issuer)
                .filter(Issuer::isAddress)
                .map(Issuer::issuer)
                .toList();
    }

    /** Every audience that is accepted of some issuer. */
    public Set<String> audiences() {
        var audiences = new HashSet<String>();
        byIssuer.values().forEach(accepted -> audiences.addAll(accepted.audiences()));
        return audiences;
    }

    /** Whether a request can prove its caller by a bearer token. */
    public boolean takesTokens() {
        return !byIssuer.isEmpty() || !ofAnyTenant.isEmpty();
    }

    /** Whether somebody could be let in at that time: a workload by its certificate, or a token that can be verified or asked about. */
    public boolean canAccept(Instant now) {
        return takesCertificates()
                || !ofAnyTenant.isEmpty()
                || byIssuer.values().stream()
                        .map(Acceptance::issuer)
                        .anyMatch(issuer -> issuer.opaqueTokens() != null || issuer.holdsKeys(now));
    }

    /** Whether tokens of some trust domain are accepted. */
    boolean takesSvids() {
        return takesSvids;
    }

    /** Whether it can by its connection's certificate. */
    public boolean takesCertificates() {
        return !workloads.isEmpty();
    }

    /** The workloads that are accepted by their certificate. */
    ExpectedIds workloads() {
        return workloads;
    }

    /** Whether some issuer of the route uses that algorithm; which one the token names is not known yet. */
    boolean allows(SignatureAlgorithm algorithm) {
        return algorithms.contains(algorithm);
    }

    /** What is accepted of the JWTs of the issuer that a token names, verified or not. */
    @Nullable
    Acceptance of(String iss) {
        var acceptance = byIssuer.get(iss);
        if (acceptance != null) {
            return acceptance.issuer().hasKeys() ? acceptance : null;
        }
        for (var each : ofAnyTenant) {
            var tenant = each.issuer().ofAnyTenant(iss);
            if (tenant != null) {
                return new Acceptance(tenant, each.profile(), each.audiences());
            }
        }
        return null;
    }

    /** An issuer whose tokens' {@code iss} is that one but for a slash at the end or the case of letters, or null. */
    @Nullable
    Issuer nearlyNamed(String iss) {
        for (var acceptance : byIssuer.values()) {
            if (Difference.isNear(iss, acceptance.issuer().issuer())) {
                return acceptance.issuer();
            }
        }
        return null;
    }

    /** What is accepted of opaque tokens, or null if none are. */
    @Nullable
    Acceptance opaque() {
        return opaque;
    }

    Verdict.Deny deny(Reason reason) {
        return denials.of(reason);
    }
}
