// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.denylist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sallyport.config.Findings;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.RecordBinder;
import io.sallyport.identity.FakeSubject;
import io.sallyport.revocation.RevocationConfig;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** The index, what changes come to, and the store in memory. */
class DenyListTest {
    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    private static final Instant LATER = NOW.plusSeconds(3600);

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final DenyListIndex index = new DenyListIndex(meters);

    @Test
    void what_was_added_is_denied_at_once_and_what_was_removed_no_more() {
        var store = store(10, NOW);

        assertThat(now(store.add(token("a")))).isEqualTo(new DenyListStore.Change.Added(token("a")));
        assertThat(denies("a")).isTrue();
        assertThat(now(store.remove(key("a")))).isEqualTo(new DenyListStore.Change.Removed(token("a")));
        assertThat(denies("a")).isFalse();
        assertThat(now(store.remove(key("a")))).isEqualTo(new DenyListStore.Change.Absent());
    }

    @Test
    void a_second_entry_for_a_key_makes_the_first_stricter_and_never_weaker() {
        var store = store(10, NOW);
        var key = new DenyListKey(DenyListKey.Kind.SUB, FakeSubject.ISSUER, "alice");
        now(store.add(new DenyListEntry(key, NOW, LATER.plusSeconds(60), "first", NOW)));

        var change = now(store.add(new DenyListEntry(key, NOW.plusSeconds(9), LATER, "second", NOW.plusSeconds(9))));

        assertThat(change)
                .isEqualTo(new DenyListStore.Change.Merged(
                        new DenyListEntry(key, NOW.plusSeconds(9), LATER.plusSeconds(60), "second", NOW)));
    }

    @Test
    void a_full_list_refuses_one_more_and_forgets_none() {
        var store = store(2, NOW);
        now(store.add(token("a")));
        now(store.add(token("b")));

        assertThat(now(store.add(token("c")))).isEqualTo(new DenyListStore.Change.Full(2));
        assertThat(denies("a")).isTrue();
        assertThat(denies("b")).isTrue();
        assertThat(denies("c")).isFalse();
    }

    @Test
    void what_has_expired_makes_room() {
        var store = store(1, LATER);
        index.put(token("expired"));

        assertThat(now(store.add(new DenyListEntry(key("b"), null, LATER.plusSeconds(1), "test", LATER))))
                .isInstanceOf(DenyListStore.Change.Added.class);
        assertThat(index.size()).isEqualTo(1);
    }

    @Test
    void an_expired_entry_is_replaced_and_not_merged() {
        var store = store(1, LATER);
        index.put(token("a"));
        var renewed = new DenyListEntry(key("a"), null, LATER.plusSeconds(1), "again", LATER);

        assertThat(now(store.add(renewed))).isEqualTo(new DenyListStore.Change.Added(renewed));
        assertThat(index.size()).isEqualTo(1);
    }

    @Test
    void changes_that_wait_together_see_each_other() {
        index.complete();
        var changes = new DenyListChanges(index, 1, NOW);

        assertThat(changes.add(token("a"))).isInstanceOf(DenyListStore.Change.Added.class);
        assertThat(changes.add(token("b"))).isInstanceOf(DenyListStore.Change.Full.class);
        assertThat(changes.remove(key("a"))).isInstanceOf(DenyListStore.Change.Removed.class);
        assertThat(changes.add(token("b"))).isInstanceOf(DenyListStore.Change.Added.class);
        assertThat(denies("b")).isFalse();

        changes.apply();

        assertThat(denies("a")).isFalse();
        assertThat(denies("b")).isTrue();
        assertThat(index.size()).isEqualTo(1);
    }

    @Test
    void an_entry_that_changes_nothing_comes_to_nothing() {
        index.put(token("a"));
        var changes = new DenyListChanges(index, 1, NOW);

        assertThat(changes.add(token("a"))).isEqualTo(new DenyListStore.Change.Merged(token("a")));
        assertThat(changes.net()).isEmpty();
    }

    @Test
    void a_reader_never_misses_an_entry_that_is_being_kept_while_others_come_and_go() throws Exception {
        var store = store(100_000, NOW);
        now(store.add(token("kept")));
        Callable<Integer> read = () -> {
            int missed = 0;
            for (int i = 0; i < 50_000; i++) {
                missed += denies("kept") ? 0 : 1;
            }
            return missed;
        };
        Callable<Integer> write = () -> {
            for (int i = 0; i < 5_000; i++) {
                now(store.add(token("t" + i)));
                now(store.remove(key("t" + i)));
            }
            return 0;
        };
        var tasks = new ArrayList<Callable<Integer>>();
        tasks.add(read);
        tasks.add(write);
        tasks.add(read);
        tasks.add(write);

        try (var threads = Executors.newFixedThreadPool(4)) {
            for (var missed : threads.invokeAll(tasks)) {
                assertThat(missed.get()).isZero();
            }
        }
        assertThat(index.size()).isEqualTo(1);
    }

    @Test
    void the_number_of_entries_is_a_gauge() {
        var store = store(10, NOW);
        now(store.add(token("a")));
        now(store.add(token("b")));

        assertThat(meters.get("sallyport.revocation.entries").gauge().value()).isEqualTo(2);
    }

    @Test
    void ids_are_stable_fit_for_a_url_and_different_for_each_key() {
        var one = new DenyListKey(DenyListKey.Kind.JTI, "https://a", "b");

        assertThat(one.id())
                .matches("[A-Za-z0-9_-]{22}")
                .isEqualTo(new DenyListKey(DenyListKey.Kind.JTI, "https://a", "b").id());
        assertThat(one.id()).isNotEqualTo(new DenyListKey(DenyListKey.Kind.SID, "https://a", "b").id());
        assertThat(one.id()).isNotEqualTo(new DenyListKey(DenyListKey.Kind.JTI, "https://ab", "").id());
    }

    @Test
    void the_kinds_that_have_a_not_before_have_one_and_the_others_none() {
        assertThatThrownBy(() -> new DenyListEntry(key("a"), NOW, LATER, "test", NOW))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new DenyListEntry(
                        new DenyListKey(DenyListKey.Kind.SUB, FakeSubject.ISSUER, "alice"), null, LATER, "test", NOW))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void the_section_of_the_file_is_bound_with_its_defaults() {
        var findings = new Findings();

        assertThat(RecordBinder.bind("{}", RevocationConfig.class, findings))
                .isEqualTo(new RevocationConfig(null, null, null, 100_000));
        assertThat(findings.all()).isEmpty();
        assertThatThrownBy(() -> new RevocationConfig(null, null, null, 0))
                .isInstanceOf(InvalidSetting.class)
                .hasMessage("max-entries: 0 (expected: 1 to 10000000)");
    }

    private DenyListStore store(int maxEntries, Instant now) {
        return new MemoryDenyListStore(index, maxEntries, InstantSource.fixed(now));
    }

    private boolean denies(String token) {
        return index.find(DenyListKey.Kind.JTI, FakeSubject.ISSUER, token, NOW, NOW) != null;
    }

    private static DenyListKey key(String token) {
        return new DenyListKey(DenyListKey.Kind.JTI, FakeSubject.ISSUER, token);
    }

    private static DenyListEntry token(String token) {
        return new DenyListEntry(key(token), null, LATER, "test", NOW);
    }

    private static DenyListStore.Change now(CompletionStage<DenyListStore.Change> change) {
        return change.toCompletableFuture().join();
    }
}
