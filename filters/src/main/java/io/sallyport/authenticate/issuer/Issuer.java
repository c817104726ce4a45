// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.issuer;

import io.sallyport.authenticate.jose.MediaType;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.authenticate.keys.NoKeys;
import io.sallyport.authenticate.token.ClaimReading;
import io.sallyport.authenticate.token.OpaqueTokenSource;
import io.sallyport.config.Findings;
import io.sallyport.decision.Evidence;
import io.spiffe.spiffeid.TrustDomain;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An issuer of tokens, compiled: what its section says, and where its keys come from. */
public final class Issuer {
    private static final Logger log = LoggerFactory.getLogger(Issuer.class);

    private final ClaimReading reading;
    private final IssuerConfig config;
    private final Set<SignatureAlgorithm> algorithms;
    private final Set<String> types;
    private final boolean typeMayBeAbsent;
    private final boolean refusesIdTokens;
    private final long maxLifetimeMillis;
    private final long maxAgeMillis;
    private final JwkSetSource keys;
    private final @Nullable OpaqueTokenSource opaqueTokens;
    private final List<Issuer> tenants;
    private final @Nullable TenantKeys anyTenant;
    /** Of tenants that nobody listed. */
    private final Map<String, Issuer> met = new ConcurrentHashMap<>();

    private final Evidence evidence;

    private Issuer(
            ClaimReading reading,
            IssuerConfig config,
            JwkSetSource keys,
            @Nullable OpaqueTokenSource opaqueTokens,
            List<Issuer> tenants,
            @Nullable TenantKeys anyTenant) {
        this.reading = reading;
        this.config = config;
        this.algorithms = Set.copyOf(config.allowedAlgorithms());
        this.types = config.allowedTypes().stream().map(MediaType::normalized).collect(Collectors.toUnmodifiableSet());
        this.typeMayBeAbsent = config.typeMayBeAbsent();
        this.refusesIdTokens = config.refusesIdTokens();
        this.maxLifetimeMillis = config.maxTokenLifetime().toMillis();
        this.maxAgeMillis = config.maxTokenAge() == null
                ? Long.MAX_VALUE
                : config.maxTokenAge().toMillis();
        this.keys = keys;
        this.opaqueTokens = opaqueTokens;
        this.tenants = List.copyOf(tenants);
        this.anyTenant = anyTenant;
        this.evidence = Evidence.NONE.with(Evidence.Key.DETAIL, reading.issuerName());
    }

    /**
     * Compiles the section {@code issuers}. Does no network I/O.
     *
     * @param introspections asked about opaque tokens
     * @param crypto to warn of algorithms that are slow without the native provider
     * @param at the section
     * @return those that are right, by name; a finding is added for each one that is not
     */
    public static Map<String, Issuer> compile(
            Map<String, IssuerConfig> sections,
            JwkSetSourceFactory sources,
            OpaqueTokenSourceFactory introspections,
            CryptoProvider crypto,
            Findings.Place at) {
        var issuers = new LinkedHashMap<String, Issuer>();
        var names = new HashMap<String, String>();
        sections.forEach((name, config) -> {
            var place = at.child(name);
            var other = taken(names, config, name);
            if (other != null) {
                // A token would not say which of the two sections holds for it.
                place.child(config.trustDomain() == null ? "issuer" : "trust-domain")
                        .reject(
                                config.trustDomain() == null ? config.issuer() : config.trustDomain(),
                                "an issuer that " + at.path() + "." + other + " is not");
            }
            var issuer = config.hasTenants()
                    ? ofTenants(name, config, sources, place)
                    : single(name, config, sources, introspections, place);
            if (issuer != null && other == null) {
                issuers.put(name, issuer);
            }
            warnOfSlowAlgorithms(name, config, crypto);
        });
        return issuers;
    }

    /** The name of a section before that accepts a token which this one would too, or null. */
    private static @Nullable String taken(Map<String, String> names, IssuerConfig config, String name) {
        if (!config.hasTenants()) {
            return names.putIfAbsent(config.identifier(), name);
        }
        var identifiers = config.insecureAnyTenant()
                ? List.of(config.identifier())
                : config.tenants().stream()
                        .map(tenant -> config.ofTenant(tenant).identifier())
                        .toList();
        String other = null;
        for (var identifier : identifiers) {
            var before = names.putIfAbsent(identifier, name);
            other = before == null ? other : before;
        }
        return other;
    }

    private static @Nullable Issuer single(
            String name,
            IssuerConfig config,
            JwkSetSourceFactory sources,
            OpaqueTokenSourceFactory introspections,
            Findings.Place place) {
        var keys = config.hasKeys() ? sources.source(name, config, place) : NoKeys.NO_KEYS;
        var opaque = config.introspection() == null ? null : introspections.source(name, config, place);
        return keys != null && (opaque != null || config.introspection() == null)
                ? new Issuer(config.reading(name), config, keys, opaque, List.of(), null)
                : null;
    }

    private static @Nullable Issuer ofTenants(
            String name, IssuerConfig config, JwkSetSourceFactory sources, Findings.Place place) {
        var anyTenant = config.insecureAnyTenant() ? sources.ofAnyTenant(name, config, place) : null;
        if (config.insecureAnyTenant() && anyTenant == null) {
            return null;
        }
        var tenants = new ArrayList<Issuer>();
        for (var tenant : config.tenants()) {
            var own = config.ofTenant(tenant);
            var keys = sources.source(name + "." + tenant, own, place);
            if (keys == null) {
                return null;
            }
            tenants.add(ofTenant(name, config, tenant, own, keys));
        }
        return new Issuer(config.reading(name), config, NoKeys.NO_KEYS, null, tenants, anyTenant);
    }

    private static Issuer ofTenant(
            String name, IssuerConfig config, String tenant, IssuerConfig own, JwkSetSource keys) {
        var reading = own.reading(name).ofTenant(config.requireTenantClaim(), tenant);
        return new Issuer(reading, own, keys, null, List.of(), null);
    }

    /** Whether two maps of issuers accept the same tokens, by the very same keys and answers, in the same order. */
    public static boolean areSame(Map<String, Issuer> one, Map<String, Issuer> other) {
        return List.copyOf(one.keySet()).equals(List.copyOf(other.keySet()))
                && one.entrySet().stream().allMatch(each -> each.getValue().isSameAs(other.get(each.getKey())));
    }

    private boolean isSameAs(@Nullable Issuer other) {
        return other != null
                && config.equals(other.config)
                && keys.equals(other.keys)
                && Objects.equals(anyTenant, other.anyTenant)
                && tenants.size() == other.tenants.size()
                && IntStream.range(0, tenants.size())
                        .allMatch(i -> tenants.get(i).isSameAs(other.tenants.get(i)))
                && Objects.equals(opaqueTokens, other.opaqueTokens);
    }

    private static void warnOfSlowAlgorithms(String name, IssuerConfig config, CryptoProvider crypto) {
        for (var algorithm : config.allowedAlgorithms()) {
            if (!crypto.isNative()
                    && (algorithm == SignatureAlgorithm.ES384 || algorithm == SignatureAlgorithm.ES512)) {
                log.atWarn()
                        .addKeyValue("issuer", name)
                        .addKeyValue("algorithm", algorithm)
                        .log("without the native crypto provider one signature of this kind costs milliseconds");
            }
        }
    }

    /** Its name in the configuration. */
    public String name() {
        return reading.issuerName();
    }

    /** Its name in the configuration, and the tenant's where it is one of several: what tells key sets apart. */
    public String keySetName() {
        var tenant = reading.tenant();
        return tenant == null ? name() : name() + "." + tenant.id();
    }

    /** Its listed tenants, each an issuer, or itself if it has no tenants. None if it admits every tenant. */
    public List<Issuer> each() {
        return config.hasTenants() ? tenants : List.of(this);
    }

    /** Who makes the keys of tenants that nobody listed, or null if none such is admitted. */
    public @Nullable TenantKeys anyTenant() {
        return anyTenant;
    }

    /** The tenant of that {@code iss}, where every tenant is admitted; null if it is nobody's. */
    public @Nullable Issuer ofAnyTenant(String iss) {
        var tenant = anyTenant == null ? null : config.tenantOf(iss);
        if (anyTenant == null || tenant == null) {
            return null;
        }
        var known = met.get(tenant);
        var own = known == null ? config.ofTenant(tenant) : known.config;
        var keys = anyTenant.of(tenant, own);
        if (known != null && known.keys.equals(keys)) {
            return known;
        }
        var issuer = ofTenant(name(), config, tenant, own, keys);
        if (met.size() >= 2 * IssuerConfig.MOST_TENANTS) {
            met.clear();
        }
        met.put(tenant, issuer);
        return issuer;
    }

    /** Whether tokens of that {@code iss} are its own, or those of a tenant that it admits. Fetches nothing. */
    public boolean issues(String iss) {
        if (anyTenant != null) {
            return config.tenantOf(iss) != null;
        }
        for (var each : each()) {
            if (each.issuer().equals(iss)) {
                return true;
            }
        }
        return false;
    }

    /** How the claims of its tokens are read. */
    public ClaimReading reading() {
        return reading;
    }

    /** Its name, as the evidence of every refusal of its tokens; made once, because floods consist of such refusals. */
    public Evidence evidence() {
        return evidence;
    }

    /** What tells it from all others: the exact {@code iss} of its tokens, or the SPIFFE ID of the trust domain. */
    public String issuer() {
        return reading.issuer();
    }

    /** Whose workloads' JWT-SVIDs its tokens are, or null if they are access tokens. */
    public @Nullable TrustDomain trustDomain() {
        return reading.trustDomain();
    }

    /** Whether clients may be told of it as an authorization server: not a trust domain, and not one with a mere name. */
    public boolean isAddress() {
        return trustDomain() == null && config.isAddress();
    }

    /** Every audience that its tokens may be for. */
    public Set<String> audiences() {
        return Set.copyOf(config.audiences());
    }

    /** The clients whose tokens are accepted without an {@code aud}; none where tokens have one. */
    public List<String> clients() {
        return config.clients();
    }

    /** Whether a token that looks like an ID token is refused. */
    public boolean refusesIdTokens() {
        return refusesIdTokens;
    }

    /** Whether a token may be signed so. */
    public boolean allows(SignatureAlgorithm algorithm) {
        return algorithms.contains(algorithm);
    }

    /** Whether a token may have that normalized {@code typ}, or none. */
    public boolean allowsType(@Nullable String type) {
        return type == null ? typeMayBeAbsent : types.contains(type);
    }

    /** From {@code iat} to {@code exp}, at most. */
    public long maxLifetimeMillis() {
        return maxLifetimeMillis;
    }

    /** {@link Long#MAX_VALUE} if only {@code exp} limits a token. */
    public long maxAgeMillis() {
        return maxAgeMillis;
    }

    /** Whether its tokens must have {@code nbf}. */
    public boolean requiresNotBefore() {
        return config.requireNbf();
    }

    /** A JWT-SVID says when it was issued only where somebody asks for its age. */
    public boolean requiresIssuedAt() {
        return trustDomain() == null || config.maxTokenAge() != null;
    }

    /** Which claims its access tokens must have. */
    public Profile profile() {
        return config.profile();
    }

    /** Whether its JWTs are verified here; if not, it is asked about them as about its opaque tokens. */
    public boolean hasKeys() {
        return config.hasKeys();
    }

    /** Whether the gateway is to receive no traffic while it has no keys. */
    public boolean isRequired() {
        return config.required();
    }

    /** Whether it has a key at that time that may verify a token. */
    public boolean holdsKeys(Instant now) {
        var current = keys.current(now);
        return current != null && !current.keys().isEmpty();
    }

    /** Where its keys come from; never any if {@link #hasKeys} is false. */
    public JwkSetSource keys() {
        return keys;
    }

    /** Who is asked about its opaque tokens, or null if it has none. */
    public @Nullable OpaqueTokenSource opaqueTokens() {
        return opaqueTokens;
    }

    @Override
    public String toString() {
        return name();
    }
}
