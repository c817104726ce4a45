// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.identity.FakeSubject;
import io.sallyport.revocation.denylist.DenyListIndex;
import io.sallyport.revocation.denylist.DenyListKey;
import io.sallyport.revocation.denylist.DenyListStore;
import io.sallyport.revocation.denylist.MemoryDenyListStore;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RevocationApiTest {
    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    private static final Duration LIFETIME = Duration.ofMinutes(62);

    private final DenyListIndex index = new DenyListIndex(new SimpleMeterRegistry());
    private final DenyListStore store = new MemoryDenyListStore(index, 3, InstantSource.fixed(NOW));
    private final RevocationApi api = new RevocationApi(
            store, issuer -> issuer.equals(FakeSubject.ISSUER) ? LIFETIME : null, InstantSource.fixed(NOW));

    @Test
    void a_subject_is_denied_from_now_back_until_its_last_token_is_worth_nothing() {
        var answer = add(Map.of("iss", FakeSubject.ISSUER, "sub", "alice", "reason", "laptop stolen"));

        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.body())
                .containsEntry("iss", FakeSubject.ISSUER)
                .containsEntry("sub", "alice")
                .containsEntry("not_before", "2026-11-22T12:00:00Z")
                .containsEntry("expires_at", "2026-11-22T13:02:00Z")
                .containsEntry("reason", "laptop stolen")
                .containsEntry("added_at", "2026-11-22T12:00:00Z")
                .hasSize(7);
        assertThat(index.find(DenyListKey.Kind.SUB, FakeSubject.ISSUER, "alice", NOW, NOW))
                .isNotNull();
    }

    @Test
    void a_token_is_denied_whenever_it_was_issued() {
        var answer = add(Map.of(
                "iss", FakeSubject.ISSUER, "jti", "t1", "reason", "leaked", "expires_at", "2026-11-22T12:30:00Z"));

        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.body())
                .containsEntry("jti", "t1")
                .containsEntry("expires_at", "2026-11-22T12:30:00Z")
                .doesNotContainKey("not_before");
    }

    @Test
    void a_client_that_is_denied_for_a_while_is_denied_until_a_token_of_that_time_is_worth_nothing() {
        var answer = add(Map.of(
                "iss", FakeSubject.ISSUER, "client_id", "shop", "reason", "x", "not_before", "2026-11-23T00:00:00Z"));

        assertThat(answer.body()).containsEntry("expires_at", "2026-11-23T01:02:00Z");
    }

    @Test
    void a_second_entry_for_the_same_is_one_entry() {
        add(Map.of("iss", FakeSubject.ISSUER, "sid", "s1", "reason", "first"));

        var answer = add(Map.of("iss", FakeSubject.ISSUER, "sid", "s1", "reason", "second"));

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).containsEntry("reason", "second");
        assertThat(store.entries()).hasSize(1);
    }

    @Test
    void everything_that_is_wrong_is_told_at_once_and_nothing_is_changed() {
        var body = new HashMap<String, Object>();
        body.put("iss", "https://idp.example.org/realms/crop");
        body.put("jti", "t1");
        body.put("sub", "alice");
        body.put("not_before", "yesterday");
        body.put("expires_at", "2026-11-22T12:00:00Z");
        body.put("expire_at", 5);

        var answer = add(body);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.isProblem()).isTrue();
        assertThat(members(answer))
                .containsExactlyInAnyOrder(
                        "iss", "jti, sid, sub, client_id", "not_before", "expires_at", "expire_at", "reason");
        assertThat(store.entries()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "iss, 5",
        "iss, ''",
        "iss, https://other.example.org",
        "sub, ''",
        "sub, 7",
        "reason, ''",
        "not_before, 1763812800",
        "not_before, 2027-11-24T12:00:00Z",
        "expires_at, 2026-11-22T12:00:00Z",
        "expires_at, 2027-11-24T12:00:00Z",
        "expires_at, 22.11.2026",
        "jti, t1",
        "nbf, 5",
    })
    void a_member_that_is_wrong_is_named(String member, String value) {
        var body = new HashMap<String, Object>(
                Map.of("iss", FakeSubject.ISSUER, "sub", "alice", "reason", "laptop stolen"));
        body.put(member, value.matches("\\d{1,9}") ? (Object) Integer.valueOf(value) : value);

        var answer = add(body);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(members(answer)).singleElement().asString().contains(member);
    }

    @ParameterizedTest
    @ValueSource(strings = {"jti", "sid"})
    void a_token_or_a_session_has_no_not_before(String claim) {
        var answer =
                add(Map.of("iss", FakeSubject.ISSUER, claim, "x", "reason", "y", "not_before", "2026-11-22T12:00:00Z"));

        assertThat(members(answer)).containsExactly("not_before");
    }

    @Test
    void a_value_or_reason_without_end_is_refused() {
        var answer = add(Map.of("iss", FakeSubject.ISSUER, "jti", "x".repeat(1025), "reason", "y".repeat(201)));

        assertThat(members(answer)).containsExactlyInAnyOrder("jti", "reason");
    }

    @Test
    void a_reason_with_a_line_break_is_refused() {
        assertThat(add(Map.of("iss", FakeSubject.ISSUER, "jti", "x", "reason", "a\nb"))
                        .status())
                .isEqualTo(400);
    }

    @Test
    void a_full_list_is_insufficient_storage() {
        for (var token : List.of("a", "b", "c")) {
            add(Map.of("iss", FakeSubject.ISSUER, "jti", token, "reason", "x"));
        }

        var answer = add(Map.of("iss", FakeSubject.ISSUER, "jti", "d", "reason", "x"));

        assertThat(answer.status()).isEqualTo(507);
        assertThat(members(answer)).containsExactly("stages.revocation.max-entries");
    }

    @Test
    void a_list_is_given_page_by_page() {
        for (var token : List.of("a", "b", "c")) {
            add(Map.of("iss", FakeSubject.ISSUER, "jti", token, "reason", "x"));
        }
        var ids = new ArrayList<Object>();

        var first = api.list(null, 2);
        collectIds(first, ids);
        var second = api.list((String) first.body().get("next"), 2);
        collectIds(second, ids);

        assertThat(first.body()).containsEntry("total", 3).containsEntry("durable", false);
        assertThat(second.body()).doesNotContainKey("next");
        assertThat(ids).hasSize(3).doesNotHaveDuplicates().isSorted();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1001})
    void a_page_has_a_size(int limit) {
        assertThat(api.list(null, limit).status()).isEqualTo(400);
    }

    @Test
    void an_entry_is_removed_by_its_id_once() {
        var added = add(Map.of("iss", FakeSubject.ISSUER, "jti", "a", "reason", "x"));
        var id = (String) Objects.requireNonNull(added.body().get("id"));

        assertThat(remove(id)).isEqualTo(new RevocationAnswer(204, Map.of()));
        assertThat(remove(id).status()).isEqualTo(404);
        assertThat(store.entries()).isEmpty();
    }

    private RevocationAnswer add(Map<String, ?> body) {
        return api.add(body, "operator").toCompletableFuture().join();
    }

    private RevocationAnswer remove(String id) {
        return api.remove(id, "operator").toCompletableFuture().join();
    }

    private static List<Object> members(RevocationAnswer answer) {
        var members = new ArrayList<Object>();
        for (var error : list(answer, "errors")) {
            members.add(((Map<?, ?>) error).get("member"));
        }
        return members;
    }

    private static void collectIds(RevocationAnswer page, List<Object> ids) {
        for (var entry : list(page, "entries")) {
            ids.add(((Map<?, ?>) entry).get("id"));
        }
    }

    private static List<?> list(RevocationAnswer answer, String member) {
        return (List<?>) Objects.requireNonNull(answer.body().get(member));
    }
}
