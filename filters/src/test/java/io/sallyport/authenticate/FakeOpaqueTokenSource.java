// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate;

import io.sallyport.authenticate.token.ClaimReading;
import io.sallyport.authenticate.token.IntrospectionResponse;
import io.sallyport.authenticate.token.OpaqueTokenSource;
import io.sallyport.authenticate.token.TokenDigest;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** An issuer that says of opaque tokens what a test has put into it. */
public final class FakeOpaqueTokenSource implements OpaqueTokenSource {
    private final Map<String, Introspected> answers = new HashMap<>();
    private final Map<TokenDigest, Introspected> remembered = new HashMap<>();
    private final List<String> asked = new ArrayList<>();
    private boolean remembers;

    /** Says this of the token: a response as it comes over the wire. */
    FakeOpaqueTokenSource answer(String token, Map<String, ?> response) {
        var json = TestTokens.json(response).getBytes(StandardCharsets.UTF_8);
        answers.put(
                token,
                Objects.requireNonNull(
                        IntrospectionResponse.parse(
                                json, new ClaimReading("corp", TestTokens.ISSUER, null, null, null)),
                        "no introspection response"));
        return this;
    }

    FakeOpaqueTokenSource unavailable(String token) {
        answers.put(token, Introspected.Word.UNAVAILABLE);
        return this;
    }

    /** From now on what was asked once is known. */
    FakeOpaqueTokenSource remembering() {
        remembers = true;
        return this;
    }

    /** The tokens that were asked about, in order. */
    List<String> asked() {
        return List.copyOf(asked);
    }

    @Override
    public @Nullable Introspected known(TokenDigest digest, Instant now) {
        return remembered.get(digest);
    }

    @Override
    public Mono<Introspected> ask(TokenDigest digest, String token) {
        asked.add(token);
        var answer = answers.getOrDefault(token, Introspected.Word.INACTIVE);
        if (remembers) {
            remembered.put(digest, answer);
        }
        return Mono.just(answer);
    }
}
