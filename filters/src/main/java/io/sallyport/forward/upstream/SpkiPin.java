// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.config.InvalidSetting;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.util.Base64;
import java.util.regex.Pattern;

/**
 * A public key that a route names: the SHA-256 of its SubjectPublicKeyInfo (RFC 7469 section 2.4).
 *
 * @param text {@code sha256/} and 44 characters of base64
 */
public record SpkiPin(String text) {
    private static final String PREFIX = "sha256/";
    private static final Pattern FORM = Pattern.compile("sha256/[A-Za-z0-9+/]{43}=");

    /** Reads one. */
    public static SpkiPin parse(String text) {
        if (!FORM.matcher(text).matches()) {
            throw new InvalidSetting("", text, "sha256/ and the base64 of the SHA-256 of a key's SubjectPublicKeyInfo");
        }
        return new SpkiPin(text);
    }

    /** The pin of a key. */
    static SpkiPin of(PublicKey key) {
        try {
            var hash = MessageDigest.getInstance("SHA-256").digest(key.getEncoded());
            return new SpkiPin(PREFIX + Base64.getEncoder().encodeToString(hash));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public String toString() {
        return text;
    }
}
