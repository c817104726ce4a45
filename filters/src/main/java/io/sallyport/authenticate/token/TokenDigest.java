// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.token;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * SHA-256 of a presented token's exact characters: the name by which the gateway remembers what it found out about it. Two
 * spellings of one token are two digests; each is judged for itself.
 */
public record TokenDigest(long first, long second, long third, long fourth) {
    // One for each event loop: looking a provider up costs more than the digest.
    private static final ThreadLocal<MessageDigest> SHA_256 = ThreadLocal.withInitial(TokenDigest::sha256);

    /** The digest of what follows {@code start}. */
    public static TokenDigest of(String text, int start) {
        // One byte for each char that a header can hold; what has others is no token and is never remembered as one.
        var bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        var sha256 = SHA_256.get();
        sha256.update(bytes, start, bytes.length - start);
        var hash = sha256.digest();
        return new TokenDigest(bigEndian(hash, 0), bigEndian(hash, 8), bigEndian(hash, 16), bigEndian(hash, 24));
    }

    private static long bigEndian(byte[] bytes, int offset) {
        long value = 0;
        for (int i = offset; i < offset + Long.BYTES; i++) {
            value = value << 8 | (bytes[i] & 0xff);
        }
        return value;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public int hashCode() {
        return Long.hashCode(first);
    }
}
