// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** {@code issuers.<name>}: an authorization server whose access tokens routes may accept, and what such a token must be like. */
public record IssuerConfig(
        @Setting("The exact iss of its tokens: an https URL without query and fragment.")
        String issuer,

        @Setting("The audiences that tokens may be for, at least one. If there are several, each route names its own.")
        List<String> audiences,

        @Setting(
                value =
                        "The signature algorithms it uses: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, "
                                + "EdDSA.",
                byDefault = "[RS256, PS256, ES256, EdDSA]")
        List<SignatureAlgorithm> algorithms,

        @Setting(
                value = "The typ that a token's header must have one of, with or without application/ in front, in any "
                        + "case. Strict is [at+jwt].",
                byDefault = "[at+jwt, application/at+jwt, JWT]")
        List<String> types,

        @Setting("Where its JWK Set is, an https URL. Absent: OpenID Connect discovery says so.") @Nullable
        URI jwksUri,

        @Setting(value = "The longest time from iat to exp, 1s to 366d.", byDefault = "24h")
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
                value = "Allows http in issuer and jwks-uri: whoever sits on that way can forge every token.",
                byDefault = "false")
        boolean insecurePlaintext) {

    public IssuerConfig {
        requireUrl("issuer", issuer, insecurePlaintext);
        if (jwksUri != null) {
            requireUrl("jwks-uri", jwksUri.toString(), insecurePlaintext);
        }
        audiences = requireDistinct("audiences", audiences, "at least one, each once and not empty");
        algorithms = requireDistinct("algorithms", algorithms, "at least one, each once");
        types = requireDistinct("types", types, "at least one, each once and not empty");
        requireRange("max-token-lifetime", maxTokenLifetime);
        if (maxTokenAge != null) {
            requireRange("max-token-age", maxTokenAge);
        }
        if (profile == Profile.RFC9068 && types.stream().noneMatch(MediaType::isAccessToken)) {
            throw new InvalidSetting("types", types, "at+jwt among them, because profile is rfc9068");
        }
    }

    /** The same issuer, for tokens of other audiences. */
    public IssuerConfig withAudiences(List<String> others) {
        return new IssuerConfig(
                issuer,
                others,
                algorithms,
                types,
                jwksUri,
                maxTokenLifetime,
                maxTokenAge,
                requireNbf,
                profile,
                jwks,
                ca,
                insecurePlaintext);
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
