// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.issuer;

import io.sallyport.authenticate.jose.MediaType;
import io.sallyport.authenticate.jose.SignatureAlgorithm;
import io.sallyport.authenticate.token.ClaimReading;
import io.sallyport.config.Finding;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.identity.StrictSpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code issuers.<name>}: somebody whose tokens routes may accept, and what such a token must be like. Either an authorization
 * server with its access tokens, or a SPIFFE trust domain with the JWT-SVIDs of its workloads.
 *
 * @param issuer null if and only if {@code trustDomain} is not
 * @param algorithms null for those that are usual for its kind
 * @param types likewise
 */
public record IssuerConfig(
        @Setting(
                "The exact iss of its tokens: an https URL without query and fragment, or with jwks-uri or introspection any name, "
                        + "because nothing is then fetched from there. Required unless there is a trust-domain.")
        @Nullable
        String issuer,

        @Setting(
                "In place of issuer: a SPIFFE trust domain, for example example.org. Its workloads' JWT-SVIDs are then accepted, "
                        + "under keys of the JWT bundles of identity.workload-api, and are principals as workloads. Their typ is "
                        + "JWT, JOSE or absent; iat may be absent.")
        @Nullable
        String trustDomain,

        @Setting(
                value =
                        "The audiences that tokens may be for, at least one. If there are several, each route names its own. "
                                + "Left out only where there are clients.",
                byDefault = "[]")
        List<String> audiences,

        @Setting(
                value =
                        "In place of audiences, for an issuer whose access tokens have no aud: the clients whose tokens are accepted, "
                                + "by the claim that client-claim names. A token with an aud is then refused.",
                byDefault = "[]")
        List<String> clients,

        @Setting(
                "The claim that names the client: client_id, azp, cid or appid. Required with clients. Absent: client_id, else azp.")
        @Nullable
        String clientClaim,

        @Setting(
                "The signature algorithms it uses: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA (or Ed25519, its other name). "
                        + "Absent: [RS256, PS256, ES256, EdDSA]; for a trust-domain all but EdDSA, which JWT-SVIDs never use.")
        @Nullable
        List<SignatureAlgorithm> algorithms,

        @Setting(
                "The typ that a token's header must have one of, with or without application/ in front, in any case; "
                        + "absent stands for a header without typ. Left out: [at+jwt, application/at+jwt, JWT]. Strict is [at+jwt].")
        @Nullable
        List<String> types,

        @Setting(
                value =
                        "Accepts tokens that look like ID tokens, which are refused where types has absent or there are clients: those with "
                                + "nonce, at_hash, c_hash, a token_use other than access, or typ ID among their claims.",
                byDefault = "false")
        boolean acceptIdTokens,

        @Setting(
                "Where its JWK Set is, an https URL. Absent: OpenID Connect discovery says so; with introspection, the issuer is "
                        + "asked about its JWTs too. If issuer has a variable, so must this.")
        @Nullable
        String jwksUri,

        @Setting(
                "For an issuer with tenants, whose issuer has one variable as a path segment, such as https://idp.example/{tenant}/v2.0: "
                        + "the claim that must say the same tenant.")
        @Nullable
        String tenantClaim,

        @Setting(
                value =
                        "The tenants whose tokens are accepted, 1 to 100, each 1 to 64 of A-Z, a-z, 0-9 and dash. Each has a key set of its own.",
                byDefault = "[]")
        List<String> tenants,

        @Setting(
                value =
                        "In place of tenants: accepts the tokens of every tenant. Each route that does needs a rule that reads the tenant's "
                                + "claim. At most 100 key sets are held, and one of a new tenant is fetched in a second, after ten at once; "
                                + "tokens of further tenants get 503.",
                byDefault = "false")
        boolean insecureAnyTenant,

        @Setting(
                "Accepts the issuer's opaque tokens, by asking it about each (RFC 7662). With jwks-uri, its JWTs are verified by its keys; "
                        + "without, they are asked about like opaque ones.")
        @Nullable
        IntrospectionConfig introspection,

        @Setting(
                value = "The longest time from iat to exp, 1s to 366d; from now, where iat is absent.",
                byDefault = "24h")
        Duration maxTokenLifetime,

        @Setting("The longest time since iat, from 1s. Absent: only exp limits a token.") @Nullable
        Duration maxTokenAge,

        @Setting(value = "Whether a token must have nbf.", byDefault = "false")
        boolean requireNbf,

        @Setting(
                value = "Which claims a token must have: default, or rfc9068 (client_id, jti and typ at+jwt as well).",
                byDefault = "default")
        Profile profile,

        @Setting(value = "When the key set is fetched.", byDefault = "{}")
        JwksConfig jwks,

        @Setting(
                "PEM file of the certificate authorities that vouch for its endpoints. Absent: those of the Java runtime.")
        @Nullable
        Path ca,

        @Setting(
                value =
                        "Keeps the gateway from being ready while it has no key set of this issuer. If false, it is ready, and this "
                                + "issuer's callers get 503.",
                byDefault = "false")
        boolean required,

        @Setting(
                value =
                        "Allows http in issuer, jwks-uri and introspection.uri: whoever sits on that way can forge every token.",
                byDefault = "false")
        boolean insecurePlaintext) {

    private static final List<SignatureAlgorithm> USUAL_ALGORITHMS = List.of(
            SignatureAlgorithm.RS256, SignatureAlgorithm.PS256, SignatureAlgorithm.ES256, SignatureAlgorithm.EDDSA);
    private static final List<String> USUAL_TYPES = List.of("at+jwt", "JWT");
    /** How many tenants an issuer may have whose keys are held. */
    public static final int MOST_TENANTS = 100;

    private static final int LONGEST_NAME = 1024;
    private static final String ABSENT_TYPE = "absent";
    private static final Set<String> CLIENT_CLAIMS = Set.of("client_id", "azp", "cid", "appid");
    /** JWT-SVID section 2.1. */
    private static final List<SignatureAlgorithm> SVID_ALGORITHMS =
            List.copyOf(EnumSet.complementOf(EnumSet.of(SignatureAlgorithm.EDDSA)));
    /** JWT-SVID section 2.3. */
    private static final List<String> SVID_TYPES = List.of("JWT", "JOSE");

    public IssuerConfig {
        if ((issuer == null) == (trustDomain == null)) {
            throw new InvalidSetting(
                    "issuer", issuer == null ? Finding.ABSENT : issuer, "exactly one of issuer and trust-domain");
        }
        tenants = List.copyOf(tenants);
        if (issuer != null && TenantTemplate.isTemplate(issuer)) {
            requireTemplate(issuer, jwksUri, insecurePlaintext);
            requireTenants(tenantClaim, tenants, insecureAnyTenant);
            requireNone("introspection", "a section", introspection == null);
        } else {
            requireNoTenants(tenantClaim, tenants, insecureAnyTenant);
            requireAddress(issuer, jwksUri, introspection, insecurePlaintext);
        }
        if (jwks.bearerTokenFile() != null && insecurePlaintext) {
            throw new InvalidSetting(
                    "jwks.bearer-token-file",
                    jwks.bearerTokenFile(),
                    "nothing, because of insecure-plaintext: the token would be readable on the way");
        }
        if (introspection != null) {
            requireUrl("introspection.uri", introspection.uri().toString(), insecurePlaintext);
        }
        if (audiences.isEmpty() && clients.isEmpty()) {
            throw new InvalidSetting("audiences", Finding.ABSENT, "at least one, or else clients");
        }
        audiences = audiences.isEmpty()
                ? List.of()
                : requireDistinct("audiences", audiences, "at least one, each once and not empty");
        clients = clients.isEmpty()
                ? List.of()
                : requireDistinct("clients", clients, "at least one, each once and not empty");
        if (!audiences.isEmpty() && !clients.isEmpty()) {
            throw new InvalidSetting(
                    "clients", clients, "nothing, because there are audiences, and only one of the two can hold");
        }
        requireClientClaim(clients, clientClaim);
        algorithms =
                algorithms == null ? null : requireDistinct("algorithms", once(algorithms), "at least one, each once");
        types = types == null ? null : requireDistinct("types", types, "at least one, each once and not empty");
        if (trustDomain != null) {
            requireTrustDomainName(trustDomain);
            requireAbsent("jwks-uri", jwksUri, jwksUri == null);
            requireAbsent("introspection", "a section", introspection == null);
            requireAbsent("types", types, types == null);
            requireAbsent("jwks", "a section", jwks.equals(JwksConfig.DEFAULT));
            requireAbsent("ca", ca, ca == null);
            requireAbsent("profile", profile, profile == Profile.DEFAULT);
            requireAbsent("clients", clients, clients.isEmpty());
            requireAbsent("client-claim", clientClaim, clientClaim == null);
            requireAbsent("insecure-plaintext", insecurePlaintext, !insecurePlaintext);
            if (algorithms != null && !SVID_ALGORITHMS.containsAll(algorithms)) {
                throw new InvalidSetting("algorithms", algorithms, "some of those of JWT-SVIDs: " + SVID_ALGORITHMS);
            }
        }
        if (acceptIdTokens && clients.isEmpty() && !typeMayBeAbsent(types)) {
            throw new InvalidSetting(
                    "accept-id-tokens",
                    true,
                    "nothing, because they are refused only where types has absent, or there are clients");
        }
        if (required && !hasKeys(jwksUri, introspection)) {
            throw new InvalidSetting(
                    "required",
                    true,
                    "nothing, because without jwks-uri there are no keys: the issuer is asked about each token");
        }
        requireRange("max-token-lifetime", maxTokenLifetime);
        if (maxTokenAge != null) {
            requireRange("max-token-age", maxTokenAge);
        }
        if (profile == Profile.RFC9068 && types != null && types.stream().noneMatch(MediaType::isAccessToken)) {
            throw new InvalidSetting("types", types, "at+jwt among them, because profile is rfc9068");
        }
    }

    private static void requireAddress(
            @Nullable String issuer,
            @Nullable String jwksUri,
            @Nullable IntrospectionConfig introspection,
            boolean insecurePlaintext) {
        if (issuer != null && jwksUri == null && introspection == null) {
            requireUrl("issuer", issuer, insecurePlaintext);
        } else if (issuer != null) {
            requireName(issuer);
        }
        if (jwksUri != null) {
            requireUrl("jwks-uri", jwksUri, insecurePlaintext);
        }
    }

    private static void requireTemplate(String issuer, @Nullable String jwksUri, boolean insecurePlaintext) {
        var template = TenantTemplate.parse(issuer);
        if (template == null) {
            throw new InvalidSetting(
                    "issuer",
                    issuer,
                    "an https URL in which one path segment is a variable such as {tenant}, and no other");
        }
        requireUrl("issuer", template.of("x"), insecurePlaintext);
        if (jwksUri != null) {
            var keys = TenantTemplate.parse(jwksUri);
            if (keys == null || !keys.variable().equals(template.variable())) {
                throw new InvalidSetting(
                        "jwks-uri",
                        jwksUri,
                        "an https URL in which one path segment is {%s}, for each tenant has its own keys"
                                .formatted(template.variable()));
            }
            requireUrl("jwks-uri", keys.of("x"), insecurePlaintext);
        }
    }

    private static void requireTenants(@Nullable String claim, List<String> tenants, boolean any) {
        if (claim == null || claim.isEmpty()) {
            throw new InvalidSetting(
                    "tenant-claim", Finding.ABSENT, "the claim that has the tenant, because issuer has a variable");
        }
        if (any ? !tenants.isEmpty() : tenants.isEmpty()) {
            throw new InvalidSetting(
                    "tenants",
                    tenants.isEmpty() ? Finding.ABSENT : tenants,
                    "those that are accepted, or else insecure-any-tenant: true");
        }
        if (tenants.size() > MOST_TENANTS
                || new HashSet<>(tenants).size() != tenants.size()
                || !tenants.stream().allMatch(TenantTemplate::isTenant)) {
            throw new InvalidSetting(
                    "tenants", tenants, "1 to %d, each once, of A-Z, a-z, 0-9 and dash".formatted(MOST_TENANTS));
        }
    }

    private static void requireNoTenants(@Nullable String claim, List<String> tenants, boolean any) {
        var expected = "nothing, because issuer has no variable such as {tenant}";
        if (claim != null) {
            throw new InvalidSetting("tenant-claim", claim, expected);
        }
        if (!tenants.isEmpty()) {
            throw new InvalidSetting("tenants", tenants, expected);
        }
        if (any) {
            throw new InvalidSetting("insecure-any-tenant", true, expected);
        }
    }

    private static void requireNone(String key, @Nullable Object value, boolean absent) {
        if (!absent) {
            throw new InvalidSetting(key, value, "nothing, because issuer has a variable");
        }
    }

    private static boolean typeMayBeAbsent(@Nullable List<String> types) {
        return types != null && types.contains(ABSENT_TYPE);
    }

    private static void requireClientClaim(List<String> clients, @Nullable String clientClaim) {
        if (clientClaim == null ? !clients.isEmpty() : !CLIENT_CLAIMS.contains(clientClaim)) {
            throw new InvalidSetting(
                    "client-claim",
                    clientClaim == null ? Finding.ABSENT : clientClaim,
                    clientClaim == null
                            ? "one of client_id, azp, cid and appid, because there are clients"
                            : "one of client_id, azp, cid and appid");
        }
    }

    /** Without the second name of an algorithm that has two. */
    private static List<SignatureAlgorithm> once(List<SignatureAlgorithm> algorithms) {
        int first = algorithms.indexOf(SignatureAlgorithm.EDDSA);
        int last = algorithms.lastIndexOf(SignatureAlgorithm.EDDSA);
        if (first == last) {
            return algorithms;
        }
        var once = new ArrayList<>(algorithms);
        once.remove(last);
        return once;
    }

    private static void requireTrustDomainName(String name) {
        if (StrictSpiffeId.parse("spiffe://" + name) == null || name.indexOf('/') >= 0) {
            throw new InvalidSetting("trust-domain", name, "the name of a trust domain, for example example.org");
        }
    }

    private static void requireAbsent(String key, @Nullable Object value, boolean absent) {
        if (!absent) {
            throw new InvalidSetting(
                    key, value, "nothing, because of trust-domain: JWT-SVIDs and their keys have none");
        }
    }

    /** The {@code iss}, for what there is of authorization servers alone. */
    public String requireIssuer() {
        return Objects.requireNonNull(issuer, "issuer");
    }

    /** The trust domain, for what there is of trust domains alone. */
    public TrustDomain requireTrustDomain() {
        return TrustDomain.parse(Objects.requireNonNull(trustDomain, "trust-domain"));
    }

    /** Where opaque tokens are asked about, for issuers that are asked. */
    public IntrospectionConfig requireIntrospection() {
        return Objects.requireNonNull(introspection, "introspection");
    }

    /** Whether its tokens may be JWTs, so that it has keys. */
    public boolean hasKeys() {
        return hasKeys(jwksUri, introspection);
    }

    private static boolean hasKeys(@Nullable String jwksUri, @Nullable IntrospectionConfig introspection) {
        return introspection == null || jwksUri != null;
    }

    /** What no other issuer may have: the {@code iss}, or the SPIFFE ID of the trust domain. */
    String identifier() {
        return trustDomain == null ? requireIssuer() : requireTrustDomain().toIdString();
    }

    /** Those that are written, or are usual. */
    public List<SignatureAlgorithm> allowedAlgorithms() {
        return algorithms != null ? algorithms : trustDomain == null ? USUAL_ALGORITHMS : SVID_ALGORITHMS;
    }

    /** Those that are written, or are usual. */
    public List<String> allowedTypes() {
        var all = types != null ? types : trustDomain == null ? USUAL_TYPES : SVID_TYPES;
        return all.stream().filter(type -> !type.equals(ABSENT_TYPE)).toList();
    }

    /** Whether a token may have no {@code typ}; a JWT-SVID may. */
    boolean typeMayBeAbsent() {
        return trustDomain != null || typeMayBeAbsent(types);
    }

    /** Whether what looks like an ID token is none of its access tokens. */
    boolean refusesIdTokens() {
        return !acceptIdTokens && (!clients.isEmpty() || typeMayBeAbsent(types));
    }

    /** How the claims of its tokens are read. */
    public ClaimReading reading(String name) {
        return new ClaimReading(
                name, identifier(), trustDomain == null ? null : requireTrustDomain(), clientClaim, null);
    }

    /** Where its keys are, or null if discovery says so. */
    public @Nullable URI keysAt() {
        return jwksUri == null ? null : URI.create(jwksUri);
    }

    /** Whether it is an issuer for each of its tenants. */
    public boolean hasTenants() {
        return tenantClaim != null;
    }

    /** The claim that names the tenant, for issuers that have tenants. */
    public String requireTenantClaim() {
        return Objects.requireNonNull(tenantClaim, "tenant-claim");
    }

    /** The tenant whose {@code iss} that is, listed or not; null if it is nobody's. */
    @Nullable
    String tenantOf(String iss) {
        return template(requireIssuer()).tenantOf(iss);
    }

    /** Whether tokens of that {@code iss} may be this issuer's. */
    public boolean isNamed(String iss) {
        if (!hasTenants()) {
            return iss.equals(issuer);
        }
        var tenant = tenantOf(iss);
        return tenant != null && (insecureAnyTenant || tenants.contains(tenant));
    }

    private static TenantTemplate template(String text) {
        return Objects.requireNonNull(TenantTemplate.parse(text), "template");
    }

    /** The same issuer, for one of its tenants. */
    IssuerConfig ofTenant(String tenant) {
        return with(
                template(requireIssuer()).of(tenant),
                jwksUri == null ? null : template(jwksUri).of(tenant),
                audiences,
                clients,
                acceptIdTokens);
    }

    /** The same issuer without tenants, for tokens of other audiences. */
    public IssuerConfig withAudiences(List<String> others) {
        return with(issuer, jwksUri, others, List.of(), acceptIdTokens && typeMayBeAbsent(types));
    }

    private IssuerConfig with(
            @Nullable String otherIssuer,
            @Nullable String otherKeys,
            List<String> otherAudiences,
            List<String> otherClients,
            boolean acceptsIdTokens) {
        return new IssuerConfig(
                otherIssuer,
                trustDomain,
                otherAudiences,
                otherClients,
                clientClaim,
                algorithms,
                types,
                acceptsIdTokens,
                otherKeys,
                null,
                List.of(),
                false,
                introspection,
                maxTokenLifetime,
                maxTokenAge,
                requireNbf,
                profile,
                jwks,
                ca,
                required,
                insecurePlaintext);
    }

    /** Whether its {@code iss} is an address, so that it can be told to clients as one (RFC 9728 section 2). */
    boolean isAddress() {
        try {
            requireUrl("issuer", requireIssuer(), insecurePlaintext);
            return true;
        } catch (InvalidSetting _) {
            return false;
        }
    }

    private static void requireName(String issuer) {
        if (issuer.isEmpty()
                || issuer.length() > LONGEST_NAME
                || !issuer.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
            throw new InvalidSetting("issuer", issuer, "1 to 1024 printable characters of ASCII without blanks");
        }
    }

    private static void requireUrl(String key, String value, boolean insecurePlaintext) {
        var expected = insecurePlaintext
                ? "an http or https URL with a host, without query, fragment and user"
                : "an https URL with a host, without query, fragment and user (http only with insecure-plaintext: true)";
        URI url;
        try {
            url = new URI(value);
        } catch (URISyntaxException e) {
            throw new InvalidSetting(key, value, expected);
        }
        var scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
        var allowed = scheme.equals("https") || (insecurePlaintext && scheme.equals("http"));
        // A jwks-uri may have a query (some providers select a policy by it); an issuer must not (RFC 8414 section 2).
        var query = key.equals("issuer") && url.getRawQuery() != null;
        if (!allowed
                || url.getHost() == null
                || query
                || url.getRawFragment() != null
                || url.getRawUserInfo() != null
                || !value.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
            throw new InvalidSetting(key, value, expected);
        }
    }

    private static <T> List<T> requireDistinct(String key, List<T> values, String expected) {
        if (values.isEmpty() || new HashSet<>(values).size() != values.size() || values.contains("")) {
            throw new InvalidSetting(key, values, expected);
        }
        return List.copyOf(values);
    }

    private static void requireRange(String key, Duration value) {
        if (value.compareTo(Duration.ofSeconds(1)) < 0 || value.compareTo(Duration.ofDays(366)) > 0) {
            throw new InvalidSetting(key, value, "1s to 366d");
        }
    }
}
