// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import io.sallyport.authenticate.issuer.IssuerConfig;
import io.sallyport.authenticate.jwks.JwkSetEndpoint.UnusableAnswer;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What an issuer says of itself (OpenID Connect Discovery 1.0 section 4), as far as it says where its keys are. */
final class DiscoveryDocument {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private DiscoveryDocument() {}

    /** Where it is. */
    static URI location(String issuer) {
        var base = issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer;
        return URI.create(base + "/.well-known/openid-configuration");
    }

    /**
     * Where it says that the keys are.
     *
     * @throws UnusableAnswer if it is another issuer's, or names a place that keys of this one cannot come from
     */
    static URI jwksUri(byte[] document, IssuerConfig config) {
        var metadata = read(document);
        if (!config.requireIssuer().equals(text(metadata, "issuer"))) {
            throw new UnusableAnswer("discovery of %s is for another issuer (expected: that very text)"
                    .formatted(config.requireIssuer()));
        }
        var jwksUri = text(metadata, "jwks_uri");
        URI uri;
        try {
            uri = new URI(jwksUri == null ? "" : jwksUri);
        } catch (URISyntaxException e) {
            throw refused(config, "an URL in jwks_uri");
        }
        var scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        if (!scheme.equals("https") && !(config.insecurePlaintext() && scheme.equals("http"))) {
            throw refused(config, "an https URL in jwks_uri");
        }
        // The operator trusts one host by writing it.
        // What that host says must not send us to any other, inside or outside.
        if (uri.getHost() == null
                || !uri.getHost()
                        .equalsIgnoreCase(URI.create(config.requireIssuer()).getHost())) {
            throw refused(config, "a jwks_uri on the issuer's own host; one elsewhere has to be written as jwks-uri");
        }
        return uri;
    }

    private static JsonNode read(byte[] document) {
        try {
            return JSON.readTree(document);
        } catch (JacksonException e) {
            throw new UnusableAnswer("discovery is not a JSON document");
        }
    }

    private static @Nullable String text(JsonNode metadata, String member) {
        var value = metadata.get(member);
        return value != null && value.isString() ? value.asString() : null;
    }

    private static UnusableAnswer refused(IssuerConfig config, String expected) {
        return new UnusableAnswer("discovery of %s (expected: %s)".formatted(config.requireIssuer(), expected));
    }
}
