// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation;

import io.sallyport.revocation.denylist.DenyListEntry;
import io.sallyport.revocation.denylist.DenyListKey;
import io.sallyport.revocation.denylist.DenyListStore;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The deny-list as an operator changes it, {@code /actuator/sallyport/revocations} on the management port: what a request says, checked,
 * and what is answered, without HTTP itself. A body that is not right changes nothing and is told everything that is wrong with it.
 *
 * <pre>{@code
 * POST   {"iss": "https://idp.example.org", "sub": "alice", "reason": "laptop stolen, INC-4711"}     -> 201 and the entry
 * GET    ?after=<id>&limit=100                                                                       -> 200
 * DELETE ?id=<id>                                                                                    -> 204
 * }</pre>
 */
public final class RevocationApi {
    private static final Logger log = LoggerFactory.getLogger(RevocationApi.class);

    private static final int MAX_VALUE_LENGTH = 1024;
    private static final int MAX_REASON_LENGTH = 200;
    private static final int MAX_PAGE = 1000;
    private static final Duration LONGEST = Duration.ofDays(366);
    private static final Set<String> MEMBERS =
            Set.of("iss", "jti", "sid", "sub", "client_id", "not_before", "expires_at", "reason");

    private final DenyListStore store;
    private final IssuerLifetimes lifetimes;
    private final InstantSource clock;

    public RevocationApi(DenyListStore store, IssuerLifetimes lifetimes, InstantSource clock) {
        this.store = store;
        this.lifetimes = lifetimes;
        this.clock = clock;
    }

    /**
     * Adds an entry. One that is there already is made stricter, never weaker: to weaken it, remove it first.
     *
     * @param body the request's JSON object: {@code iss}, exactly one of {@code jti}, {@code sid}, {@code sub} and {@code client_id},
     *     {@code reason}; for {@code sub} and {@code client_id} optionally {@code not_before} (now when absent); optionally {@code
     *     expires_at} (when absent: as late as a token that is denied can still be valid). Times as in RFC 3339, UTC
     * @param actor who asks, for the log
     * @return 201, 200 if there was one, 400, 503 or 507
     */
    public CompletionStage<RevocationAnswer> add(Map<String, ?> body, String actor) {
        var errors = new ArrayList<Map<String, Object>>();
        var entry = read(body, errors);
        if (entry == null) {
            return CompletableFuture.completedStage(problem(400, "The entry is not valid", errors));
        }
        return store.add(entry).thenApply(change -> answer(change, actor));
    }

    /**
     * Removes an entry, whose tokens are accepted again at once.
     *
     * @param id as the entry was listed under
     * @return 204, 404 or 503
     */
    public CompletionStage<RevocationAnswer> remove(String id, String actor) {
        for (var entry : store.entries()) {
            if (entry.key().id().equals(id)) {
                return store.remove(entry.key()).thenApply(change -> answer(change, actor));
            }
        }
        return CompletableFuture.completedStage(notFound());
    }

    /**
     * Lists entries in the order of their ids.
     *
     * @param after the id of the last entry of the page before, or null for the first page
     * @param limit 1 to 1000
     */
    public RevocationAnswer list(@Nullable String after, int limit) {
        if (limit < 1 || limit > MAX_PAGE) {
            return problem(400, "The page is not valid", List.of(error("limit", limit, "1 to " + MAX_PAGE)));
        }
        record Identified(String id, DenyListEntry entry) {}
        var entries = store.entries();
        var page = entries.stream()
                .map(entry -> new Identified(entry.key().id(), entry))
                .filter(entry -> after == null || entry.id().compareTo(after) > 0)
                .sorted(Comparator.comparing(Identified::id))
                .limit(limit + 1L)
                .toList();
        var body = new LinkedHashMap<String, Object>();
        body.put("total", entries.size());
        body.put("durable", store.isDurable());
        body.put(
                "entries",
                page.stream().limit(limit).map(entry -> json(entry.entry())).toList());
        if (page.size() > limit) {
            body.put("next", page.get(limit - 1).id());
        }
        return new RevocationAnswer(200, body);
    }

    private @Nullable DenyListEntry read(Map<String, ?> body, List<Map<String, Object>> errors) {
        for (var member : body.keySet()) {
            if (!MEMBERS.contains(member)) {
                errors.add(error(
                        member,
                        "(unknown member)",
                        "one of " + MEMBERS.stream().sorted().toList()));
            }
        }
        var now = clock.instant();
        var issuer = text(body, "iss", MAX_VALUE_LENGTH, errors);
        var lifetime = issuer == null ? null : lifetimes.longest(issuer);
        if (issuer != null && lifetime == null) {
            // A misspelt issuer would be an entry that denies nothing.
            errors.add(error("iss", issuer, "the exact issuer of one that is configured"));
        }
        var key = key(body, issuer, errors);
        var reason = text(body, "reason", MAX_REASON_LENGTH, errors);
        var notBefore = instant(body, "not_before", errors);
        var expiresAt = instant(body, "expires_at", errors);
        if (notBefore != null && key != null && !key.kind().hasNotBefore()) {
            errors.add(
                    error("not_before", notBefore, "absent with " + key.kind().claim()));
        }
        if (notBefore != null && notBefore.isAfter(now.plus(LONGEST))) {
            errors.add(error("not_before", notBefore, "at most 366 days from now"));
        }
        if (expiresAt != null && (!expiresAt.isAfter(now) || expiresAt.isAfter(now.plus(LONGEST)))) {
            errors.add(error("expires_at", expiresAt, "in the future, at most 366 days from now"));
        }
        if (!errors.isEmpty() || key == null || lifetime == null || reason == null) {
            return null;
        }
        var denied = key.kind().hasNotBefore() ? (notBefore == null ? now : notBefore) : null;
        // The last token that is denied was issued by then, and is worth nothing a lifetime later.
        var lastIssued = denied != null && denied.isAfter(now) ? denied : now;
        return new DenyListEntry(key, denied, expiresAt == null ? lastIssued.plus(lifetime) : expiresAt, reason, now);
    }

    private static @Nullable DenyListKey key(
            Map<String, ?> body, @Nullable String issuer, List<Map<String, Object>> errors) {
        DenyListKey.Kind named = null;
        int count = 0;
        for (var kind : DenyListKey.Kind.values()) {
            if (body.get(kind.claim()) != null) {
                named = kind;
                count++;
            }
        }
        if (named == null || count > 1) {
            errors.add(error("jti, sid, sub, client_id", count + " of them", "exactly one"));
            return null;
        }
        var value = text(body, named.claim(), MAX_VALUE_LENGTH, errors);
        return issuer == null || value == null ? null : new DenyListKey(named, issuer, value);
    }

    private static @Nullable String text(
            Map<String, ?> body, String member, int maxLength, List<Map<String, Object>> errors) {
        var value = body.get(member);
        if (value instanceof String text
                && !text.isBlank()
                && text.length() <= maxLength
                && text.chars().noneMatch(Character::isISOControl)) {
            return text;
        }
        errors.add(error(member, value, "1 to %d characters, no control characters".formatted(maxLength)));
        return null;
    }

    private static @Nullable Instant instant(Map<String, ?> body, String member, List<Map<String, Object>> errors) {
        var value = body.get(member);
        if (value == null) {
            return null;
        }
        try {
            if (value instanceof String text) {
                return Instant.parse(text);
            }
        } catch (DateTimeException _) {
            // Told below, like a value that is no text.
        }
        errors.add(error(member, value, "a time such as 2026-11-22T12:00:00Z"));
        return null;
    }

    private static RevocationAnswer answer(DenyListStore.Change change, String actor) {
        return switch (change) {
            case DenyListStore.Change.Added(var entry) -> {
                logged("entry added to the deny-list", entry, actor);
                yield new RevocationAnswer(201, json(entry));
            }
            case DenyListStore.Change.Merged(var entry) -> {
                logged("entry of the deny-list made stricter", entry, actor);
                yield new RevocationAnswer(200, json(entry));
            }
            case DenyListStore.Change.Removed(var entry) -> {
                logged("entry removed from the deny-list", entry, actor);
                yield new RevocationAnswer(204, Map.of());
            }
            case DenyListStore.Change.Absent _ -> notFound();
            case DenyListStore.Change.Full(int maxEntries) ->
                problem(
                        507,
                        "The deny-list is full",
                        List.of(error(
                                "stages.revocation.max-entries",
                                maxEntries,
                                "more, or fewer entries; none has expired")));
            case DenyListStore.Change.Failed(var why) -> problem(503, why, List.of());
        };
    }

    // Not whom it is about: the id tells that to whoever may read the list.
    private static void logged(String event, DenyListEntry entry, String actor) {
        log.atInfo()
                .addKeyValue("id", entry.key().id())
                .addKeyValue("kind", entry.key().kind().claim())
                .addKeyValue("issuer", entry.key().issuer())
                .addKeyValue("expires_at", entry.expiresAt())
                .addKeyValue("actor", actor)
                .log(event);
    }

    private static Map<String, Object> json(DenyListEntry entry) {
        var json = new LinkedHashMap<String, Object>();
        json.put("id", entry.key().id());
        json.put("iss", entry.key().issuer());
        json.put(entry.key().kind().claim(), entry.key().value());
        var notBefore = entry.notBefore();
        if (notBefore != null) {
            json.put("not_before", notBefore.toString());
        }
        json.put("expires_at", entry.expiresAt().toString());
        json.put("reason", entry.reason());
        json.put("added_at", entry.addedAt().toString());
        return json;
    }

    private static RevocationAnswer notFound() {
        return problem(404, "There is no such entry", List.of());
    }

    private static RevocationAnswer problem(int status, String detail, List<Map<String, Object>> errors) {
        var body = new LinkedHashMap<String, Object>();
        body.put("title", title(status));
        body.put("status", status);
        body.put("detail", detail);
        if (!errors.isEmpty()) {
            body.put("errors", List.copyOf(errors));
        }
        return new RevocationAnswer(status, body);
    }

    private static String title(int status) {
        return switch (status) {
            case 400 -> "Bad request";
            case 404 -> "Not found";
            case 507 -> "Insufficient storage";
            default -> "Temporarily unavailable";
        };
    }

    private static Map<String, Object> error(String member, @Nullable Object value, String expected) {
        return Map.of("member", member, "value", value == null ? "(absent)" : value.toString(), "expected", expected);
    }
}
