// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSet;
import io.sallyport.authenticate.keys.JwkSetDocument;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.authenticate.keys.VerificationKey;
import io.sallyport.pipeline.FakeRequest;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A key set in memory, whose refresh does what the test says. */
public final class FakeJwkSetSource implements JwkSetSource {
    private static final CryptoProvider CRYPTO = CryptoProvider.detect();

    private volatile @Nullable JwkSet current;
    private volatile @Nullable String problem;
    private volatile boolean settled = true;
    private volatile Refresh answer = Refresh.Done.FRESH;
    private final List<String> asked = new ArrayList<>();

    /** With the public keys of these. */
    public static FakeJwkSetSource of(TestTokens... keys) {
        var source = new FakeJwkSetSource();
        source.publish(keys);
        return source;
    }

    /** An issuer that could not be asked yet. */
    public static FakeJwkSetSource unavailable() {
        var source = new FakeJwkSetSource();
        source.onRefresh(Refresh.Done.UNAVAILABLE);
        return source;
    }

    /** From now on the issuer has these keys and no others. */
    public void publish(TestTokens... keys) {
        publish(TestTokens.jwkSet(keys));
    }

    void publish(String jwkSet) {
        var last = current;
        var known = last == null ? List.<VerificationKey>of() : last.keys();
        var document = JwkSetDocument.parse(jwkSet.getBytes(StandardCharsets.UTF_8), known, CRYPTO);
        if (document == null) {
            throw new IllegalArgumentException("not a JWK Set: " + jwkSet);
        }
        current = new JwkSet(last == null ? 1 : last.revision() + 1, FakeRequest.NOW, document.keys());
    }

    /** From now on its last fetch failed for this. */
    public void fail(String problem) {
        this.problem = problem;
    }

    /** Its first fetch has not ended yet. */
    public static FakeJwkSetSource fetching() {
        var source = unavailable();
        source.settled = false;
        return source;
    }

    @Override
    public @Nullable String problem() {
        return problem;
    }

    @Override
    public boolean isSettled() {
        return settled;
    }

    /** The last set is too old. */
    public void expire() {
        current = null;
        onRefresh(Refresh.Done.UNAVAILABLE);
    }

    /** What the next ones who lack a key are told. */
    public void onRefresh(Refresh answer) {
        this.answer = answer;
    }

    /** The kids that were asked for, in order. */
    public List<String> asked() {
        return List.copyOf(asked);
    }

    @Override
    public @Nullable JwkSet current(Instant now) {
        return current;
    }

    @Override
    public Refresh refresh(@Nullable String kid, Instant now) {
        asked.add(String.valueOf(kid));
        return answer;
    }
}
