// SPDX-License-Identifier: Apache-2.0
package io.sallyport.ratelimit.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes the {@code pk} parameter: 12 bytes of HMAC-SHA256 over the partition key, under a secret that lives as long as the process.
 * A client can tell that two answers count against the same key; nobody can tell which key from the label.
 */
public final class PartitionLabels {
    private static final String ALGORITHM = "HmacSHA256";
    private static final int LENGTH = 12;

    private final SecretKeySpec secret;

    /** @param secret 32 bytes */
    public PartitionLabels(byte[] secret) {
        this.secret = new SecretKeySpec(secret, ALGORITHM);
    }

    public static PartitionLabels random() {
        var secret = new byte[32];
        new SecureRandom().nextBytes(secret);
        return new PartitionLabels(secret);
    }

    /** Base64 with the standard alphabet (RFC 9651 section 3.3.5), 16 characters. */
    public String labelOf(PartitionKey key) {
        try {
            var mac = Mac.getInstance(ALGORITHM);
            mac.init(secret);
            add(mac, key.route());
            add(mac, key.policy());
            add(mac, key.kind().name());
            add(mac, key.scope());
            add(mac, key.value());
            mac.update(ByteBuffer.allocate(Long.BYTES).putLong(0, key.number()));
            return Base64.getEncoder().encodeToString(Arrays.copyOf(mac.doFinal(), LENGTH));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
        }
    }

    // With its length, so that no two keys are the same bytes.
    private static void add(Mac mac, String text) {
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        mac.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
        mac.update(bytes);
    }
}
