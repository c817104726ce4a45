// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.keys;

import com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Signature;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who does the arithmetic of signatures: Amazon Corretto Crypto Provider where the platform has its library and the library
 * passes its self tests, the JDK's own providers otherwise.
 *
 * <p>It is asked for by name at each use and is not installed for the whole JVM: TLS and whatever else the application does
 * keep the provider that they were tested with.
 */
public final class CryptoProvider {
    private static final Logger log = LoggerFactory.getLogger(CryptoProvider.class);

    private final @Nullable Provider provider;

    private CryptoProvider(@Nullable Provider provider) {
        this.provider = provider;
    }

    /** Looks for the native provider and logs which one serves. Loads a library: for start-up. */
    public static CryptoProvider detect() {
        try {
            var corretto = Corretto.healthy();
            log.atInfo().addKeyValue("provider", corretto.getName()).log("signatures are verified natively");
            return new CryptoProvider(corretto);
        } catch (RuntimeException | LinkageError e) {
            // Whatever is wrong with a library that not every platform has, the gateway serves without it.
            log.atWarn()
                    .addKeyValue("cause", String.valueOf(e.getMessage()))
                    .log("no native crypto provider; signatures are verified by the JDK, 2 to 13 times slower");
            return jdk();
        }
    }

    /** Has the library loaded and tested by whoever has the time, so that {@link #detect} finds it so. Throws whatever that meets. */
    public static void prepare() {
        Corretto.healthy();
    }

    /** The JDK's own providers. */
    public static CryptoProvider jdk() {
        return new CryptoProvider(null);
    }

    /** Whether the native library serves. Without it ES384 and ES512 cost milliseconds each. */
    public boolean isNative() {
        return provider != null;
    }

    /** For {@code JCAContext#setProvider}: null stands for the JDK's order of preference. */
    public @Nullable Provider orNull() {
        return provider;
    }

    /** Apart, because the JVM links a class as a whole: where the library is not on the class path, only this one fails. */
    private static final class Corretto {
        static Provider healthy() {
            var corretto = AmazonCorrettoCryptoProvider.INSTANCE;
            corretto.assertHealthy();
            return corretto;
        }
    }

    Signature signature(String algorithm) throws NoSuchAlgorithmException {
        return provider == null ? Signature.getInstance(algorithm) : Signature.getInstance(algorithm, provider);
    }

    /** The same key as an object of this provider, so that it is not converted for each signature; itself where it has none. */
    PublicKey prepared(PublicKey key) throws GeneralSecurityException {
        var algorithm = key.getAlgorithm();
        if (provider == null || provider.getService("KeyFactory", algorithm) == null) {
            return key;
        }
        return switch (KeyFactory.getInstance(algorithm, provider).translateKey(key)) {
            case PublicKey translated -> translated;
            case java.security.Key other ->
                throw new InvalidKeyException(
                        "translated to " + other.getClass().getName());
        };
    }
}
