// SPDX-License-Identifier: Apache-2.0
package io.sallyport.decisionlog;

import io.sallyport.config.InvalidSetting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pseudonyms of subjects: HMAC-SHA256 under a key of the operator's, so that records of one subject can be put together, and
 * nobody without the key can tell whose they are or try names until one fits. Used by one thread.
 */
final class Pseudonyms {
    private static final Logger log = LoggerFactory.getLogger(Pseudonyms.class);

    private static final String ALGORITHM = "HmacSHA256";
    private static final int KEY_BYTES = 32;
    /** 128 bits: far more than enough to tell subjects apart, half as long to read. */
    private static final int PSEUDONYM_BYTES = 16;

    private final byte[] key;
    private final Mac mac;

    private Pseudonyms(byte[] key) {
        this.key = key;
        try {
            mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(key, ALGORITHM));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
        }
    }

    /**
     * Reads the key, or makes it if there is no such file.
     *
     * @param keyFile null for a key that lives as long as this process
     * @throws InvalidSetting if the file cannot be read or written, or holds no key
     */
    static Pseudonyms open(@Nullable Path keyFile) {
        if (keyFile == null) {
            log.info("decision-log.pseudonym-key-file is not set: pseudonyms of subjects change with each start");
            return new Pseudonyms(newKey());
        }
        try {
            return new Pseudonyms(readOrCreate(keyFile));
        } catch (IOException e) {
            throw new InvalidSetting(
                    "pseudonym-key-file", keyFile, "a file that can be read, or created (%s)".formatted(e));
        }
    }

    private static byte[] readOrCreate(Path keyFile) throws IOException {
        try {
            return read(keyFile);
        } catch (NoSuchFileException e) {
            try {
                create(keyFile);
            } catch (FileAlreadyExistsException raced) {
                // Another replica with the same volume was faster; its key is as good.
            }
            return read(keyFile);
        }
    }

    private static void create(Path keyFile) throws IOException {
        var ownerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        var attributes =
                Files.getFileStore(keyFile.toAbsolutePath().getParent()).supportsFileAttributeView("posix")
                        ? new FileAttribute<?>[] {ownerOnly}
                        : new FileAttribute<?>[0];
        var text = Base64.getEncoder().encodeToString(newKey()) + "\n";
        try (var channel = Files.newByteChannel(
                keyFile, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), attributes)) {
            channel.write(StandardCharsets.US_ASCII.encode(text));
        }
        log.atInfo().addKeyValue("path", keyFile).log("created a key for the pseudonyms of subjects");
    }

    static boolean isKey(Path keyFile) {
        try {
            read(keyFile);
            return true;
        } catch (IOException | InvalidSetting _) {
            return false;
        }
    }

    private static byte[] read(Path keyFile) throws IOException {
        var text = Files.readString(keyFile, StandardCharsets.ISO_8859_1).strip();
        byte[] key;
        try {
            key = Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            key = new byte[0];
        }
        // Its content is not shown: a wrong key is usually somebody's other secret.
        if (key.length < KEY_BYTES) {
            throw new InvalidSetting("pseudonym-key-file", keyFile, "a file with at least 32 bytes in base64");
        }
        return key;
    }

    private static byte[] newKey() {
        var key = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(key);
        return key;
    }

    /** The same pseudonyms, for another thread. */
    Pseudonyms copy() {
        return new Pseudonyms(key);
    }

    /** Of a subject at its issuer: 22 characters. */
    String of(String issuer, String subject) {
        mac.update(issuer.getBytes(StandardCharsets.UTF_8));
        // So that no two pairs make one text.
        mac.update((byte) 0);
        var digest = mac.doFinal(subject.getBytes(StandardCharsets.UTF_8));
        return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest, PSEUDONYM_BYTES));
    }

    /**
     * Of a token's {@code jti}: the first half of its SHA-256 in hexadecimal, without the key, so that whoever knows a token's id
     * finds its records.
     */
    static String ofTokenId(String tokenId) {
        try {
            var digest = MessageDigest.getInstance("SHA-256").digest(tokenId.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, PSEUDONYM_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
