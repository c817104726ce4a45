// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authenticate.jwks;

import io.sallyport.authenticate.issuer.JwksConfig;
import io.sallyport.authenticate.jose.ShownText;
import io.sallyport.authenticate.keys.CryptoProvider;
import io.sallyport.authenticate.keys.JwkSet;
import io.sallyport.authenticate.keys.JwkSetDocument;
import io.sallyport.authenticate.keys.JwkSetSource;
import io.sallyport.authenticate.keys.VerificationKey;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;

/**
 * The keys of one issuer: fetched when it starts, again ahead of time, and once more when a token names a key that is not there.
 * Whatever the reason, at most one fetch is under way, and it does not depend on whoever waits for it staying. What it brings is
 * read and put in place on the scheduler.
 */
final class RefreshingJwkSetSource implements JwkSetSource {
    private static final Logger log = LoggerFactory.getLogger(RefreshingJwkSetSource.class);

    private static final double REFRESH_AHEAD = 0.8;
    /** Not even an issuer that says max-age=0 is asked more often, unless the operator says so. */
    private static final Duration LEAST_INTERVAL = Duration.ofSeconds(10);

    private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
    private static final Duration LAST_RETRY = Duration.ofSeconds(30);
    private static final Duration LAST_RETRY_WITHOUT_KEYS = Duration.ofSeconds(5);
    /** A document has room for a hundred thousand odd keys; the log has not. */
    private static final int MAX_REPORTED = 20;

    /** A request that would have to wait behind these many others is refused instead. */
    private static final int MAX_WAITING = 256;

    private final String issuer;
    private final JwkSetEndpoint endpoint;
    private final JwksConfig timing;
    private final CryptoProvider crypto;
    private final Scheduler scheduler;
    private final InstantSource clock;
    private final RefreshListener listener;
    private final @Nullable KeySetFile file;

    private final AtomicReference<Sinks.@Nullable One<Refresh.Done>> underWay = new AtomicReference<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean started = new AtomicBoolean();
    private final Disposable.Swap timer = Disposables.swap();
    private volatile @Nullable State state;
    private volatile boolean settled;
    private volatile Refresh.Done lastAnswer = Refresh.Done.UNAVAILABLE;
    private volatile @Nullable Instant lastAsked;
    /** Written by whoever has the fetch that is under way; so are the next two. */
    private volatile int failures;

    private volatile @Nullable String problem;
    private boolean lapsed;

    /** Counts what became of fetches; on the scheduler. */
    @FunctionalInterface
    interface RefreshListener {
        void refreshed(RefreshResult result);
    }

    /** What became of a fetch. */
    enum RefreshResult {
        CHANGED,
        UNCHANGED,
        FAILED
    }

    /** What is known of the issuer's keys: replaced as a whole. */
    private record State(
            Published published, JwkSet keys, @Nullable String etag, Instant usableUntil) {
        List<JwkSetDocument.Ignored> ignored() {
            return published.read().ignored();
        }
    }

    /** A document, as it was published and as it was read. */
    private static final class Published {
        private final byte[] document;
        private final JwkSetDocument read;

        Published(byte[] document, JwkSetDocument read) {
            this.document = document;
            this.read = read;
        }

        byte[] document() {
            return document;
        }

        JwkSetDocument read() {
            return read;
        }
    }

    /** An answer that is a key set, but has no key that could verify anything. */
    private static final class NoUsableKey extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NoUsableKey(int ignored) {
            super(
                    "the key set has no usable key"
                            + (ignored == 0 ? "" : ", and %d that cannot be used".formatted(ignored)),
                    null,
                    false,
                    false);
        }
    }

    /** @param file what keeps the last good set over a restart, or null if nothing does */
    RefreshingJwkSetSource(
            String issuer,
            JwkSetEndpoint endpoint,
            JwksConfig timing,
            CryptoProvider crypto,
            Scheduler scheduler,
            InstantSource clock,
            RefreshListener listener,
            @Nullable KeySetFile file) {
        this.issuer = issuer;
        this.endpoint = endpoint;
        this.timing = timing;
        this.crypto = crypto;
        this.scheduler = scheduler;
        this.clock = clock;
        this.listener = listener;
        this.file = file;
    }

    /** Begins to fetch, if it has not begun yet. Completes when the first fetch has, well or not; never fails. */
    Mono<Refresh.Done> start() {
        if (started.compareAndSet(false, true)) {
            var first = Sinks.<Refresh.Done>one();
            underWay.set(first);
            launch(first, restore());
        }
        var running = underWay.get();
        return running == null ? Mono.just(lastAnswer) : running.asMono();
    }

    /** Stops refreshing. Who still holds it can go on reading what it has. */
    void stop() {
        timer.dispose();
    }

    @Override
    public @Nullable JwkSet current(Instant now) {
        var known = state;
        return known == null || now.isAfter(known.usableUntil()) ? null : known.keys();
    }

    /** How many keys of the last document cannot be used. */
    int ignoredKeys() {
        var known = state;
        return known == null ? 0 : known.ignored().size();
    }

    /** When the issuer last confirmed its keys, or null if it never did. */
    @Nullable
    Instant confirmedAt() {
        var known = state;
        return known == null ? null : known.keys().confirmedAt();
    }

    @Override
    public @Nullable String problem() {
        return problem;
    }

    @Override
    public boolean isSettled() {
        return settled;
    }

    /** Whether the keys in use are older than they should be, because fetching failed. */
    boolean isStale() {
        return failures > 0;
    }

    @Override
    public Refresh refresh(@Nullable String kid, Instant now) {
        var running = underWay.get();
        if (running != null) {
            return await(running);
        }
        if (!started.get()) {
            return Refresh.Done.UNAVAILABLE;
        }
        return isCoolingDown(now) ? known(now) : ask(kid, now);
    }

    /** Without any keys every token is worth asking for, once in a second: an issuer that is back is then found at once. */
    private boolean isCoolingDown(Instant now) {
        var last = lastAsked;
        return last != null && now.isBefore(last.plus(current(now) == null ? FIRST_RETRY : timing.coolDown()));
    }

    private Refresh.Done known(Instant now) {
        return current(now) == null ? Refresh.Done.UNAVAILABLE : lastAnswer;
    }

    private Refresh ask(@Nullable String kid, Instant now) {
        var mine = Sinks.<Refresh.Done>one();
        var running = underWay.compareAndExchange(null, mine);
        if (running != null) {
            return await(running);
        }
        // Another token's fetch may have come and gone since the look at the cool-down.
        if (isCoolingDown(now)) {
            underWay.set(null);
            mine.tryEmitValue(known(now));
            return known(now);
        }
        lastAsked = now;
        log.atDebug()
                .addKeyValue("issuer", issuer)
                .addKeyValue("kid", ShownText.kid(kid))
                .log("unknown key; refreshing");
        launch(mine, Mono.empty());
        return await(mine);
    }

    private Refresh await(Sinks.One<Refresh.Done> running) {
        if (waiting.get() >= MAX_WAITING) {
            return Refresh.Done.UNAVAILABLE;
        }
        return new Refresh.UnderWay(running.asMono()
                .doOnSubscribe(_ -> waiting.incrementAndGet())
                .doFinally(_ -> waiting.decrementAndGet()));
    }

    private void fetchOnSchedule() {
        var mine = Sinks.<Refresh.Done>one();
        if (underWay.compareAndSet(null, mine)) {
            launch(mine, Mono.empty());
        }
    }

    /** @param before what is to be done first; never fails */
    private void launch(Sinks.One<Refresh.Done> mine, Mono<Void> before) {
        // Subscribed to by nobody but us: no client's cancel ends it.
        before.then(Mono.defer(this::fetch))
                .timeout(timing.timeout(), Mono.error(this::noAnswer), scheduler)
                .switchIfEmpty(Mono.error(this::noAnswer))
                .publishOn(scheduler)
                .map(this::accept)
                .onErrorResume(error -> Mono.fromSupplier(() -> fail(error)))
                .subscribe(delay -> conclude(mine, delay));
    }

    private Mono<JwkSetEndpoint.Answer> fetch() {
        var known = state;
        return endpoint.fetch(known == null ? null : known.etag());
    }

    /** Puts in place what was saved before the last restart, for the time until the first fetch has succeeded. */
    private Mono<Void> restore() {
        return file == null
                ? Mono.empty()
                : Mono.<Void>fromRunnable(() -> restore(file))
                        .subscribeOn(scheduler)
                        .onErrorResume(error -> {
                            log.atError()
                                    .addKeyValue("issuer", issuer)
                                    .setCause(error)
                                    .log("restoring keys failed");
                            return Mono.empty();
                        });
    }

    private void restore(KeySetFile from) {
        var now = clock.instant();
        var saved = from.read(now);
        var read = saved == null ? null : JwkSetDocument.parse(saved.document(), List.of(), crypto);
        if (saved == null || read == null) {
            return;
        }
        // The clock of staleness runs on from when the issuer was last heard of. Without the ETag:
        // the issuer has to show its keys once before it may say that they are unchanged.
        var usableUntil = saved.confirmedAt().plus(timing.maxStale());
        if (now.isAfter(usableUntil)) {
            log.atWarn()
                    .addKeyValue("issuer", issuer)
                    .addKeyValue("keys_of", saved.confirmedAt())
                    .log("the saved key set is too old to be used");
            return;
        }
        state = new State(
                new Published(saved.document(), read),
                new JwkSet(1, saved.confirmedAt(), read.keys()),
                null,
                usableUntil);
        log.atInfo()
                .addKeyValue("issuer", issuer)
                .addKeyValue("keys_of", saved.confirmedAt())
                .addKeyValue("keys", read.keys().size())
                .log("the saved key set serves until the first fetch");
    }

    /** Synchronized: the next fetch may end while this one's keys are still on their way to the disk. */
    private synchronized void save() {
        var known = state;
        if (file != null && known != null) {
            file.write(new KeySetFile.Saved(
                    known.published().document(), known.keys().confirmedAt()));
        }
    }

    private JwkSetEndpoint.UnusableAnswer noAnswer() {
        return new JwkSetEndpoint.UnusableAnswer("no answer within " + timing.timeout());
    }

    /** Ends a fetch: what it brought is in place before anybody who waited looks for it. */
    private void conclude(Sinks.One<Refresh.Done> mine, Duration delay) {
        lastAnswer = failures == 0 ? Refresh.Done.FRESH : Refresh.Done.UNAVAILABLE;
        settled = true;
        underWay.set(null);
        if (!timer.isDisposed()) {
            timer.update(scheduler.schedule(this::fetchOnSchedule, delay.toMillis(), TimeUnit.MILLISECONDS));
        }
        mine.tryEmitValue(lastAnswer);
        // Last: nobody waits for the disk.
        if (failures == 0) {
            save();
        }
    }

    /** Puts an answer in place and says when to ask again. */
    private Duration accept(JwkSetEndpoint.Answer answer) {
        var known = state;
        var now = clock.instant();
        var usableUntil = now.plus(timing.maxStale());
        switch (answer) {
            case JwkSetEndpoint.Unchanged _ -> {
                if (known == null) {
                    throw new JwkSetEndpoint.UnusableAnswer("the endpoint says unchanged, but there was nothing yet");
                }
                state = new State(known.published(), known.keys().confirmedAt(now), known.etag(), usableUntil);
                listener.refreshed(RefreshResult.UNCHANGED);
            }
            case JwkSetEndpoint.Document document -> {
                var last = known == null
                        ? List.<VerificationKey>of()
                        : known.keys().keys();
                var read = JwkSetDocument.parse(document.content(), last, crypto);
                if (read == null) {
                    throw new JwkSetEndpoint.UnusableAnswer("the document is not a JWK Set");
                }
                if (read.keys().isEmpty()) {
                    report(read.ignored());
                    throw new NoUsableKey(read.ignored().size());
                }
                state = new State(
                        new Published(document.content(), read),
                        next(known, read.keys(), now),
                        document.etag(),
                        usableUntil);
                report(known, read);
            }
        }
        if (failures > 0) {
            log.atInfo().addKeyValue("issuer", issuer).log("the key set can be fetched again");
        }
        failures = 0;
        problem = null;
        lapsed = false;
        return interval(answer.maxAge());
    }

    private static JwkSet next(@Nullable State known, List<VerificationKey> keys, Instant now) {
        if (known == null) {
            return new JwkSet(1, now, keys);
        }
        return known.keys().keys().equals(keys)
                ? known.keys().confirmedAt(now)
                : new JwkSet(known.keys().revision() + 1, now, keys);
    }

    private void report(@Nullable State known, JwkSetDocument read) {
        var before = known == null ? List.<VerificationKey>of() : known.keys().keys();
        for (var key : before) {
            if (!read.keys().contains(key)) {
                log.atInfo()
                        .addKeyValue("event", "jwks_key_removed")
                        .addKeyValue("issuer", issuer)
                        .addKeyValue("kid", ShownText.kid(key.kid()))
                        .log("a key was withdrawn; the tokens that it verified are no longer accepted");
            }
        }
        if (known == null || !known.ignored().equals(read.ignored())) {
            report(read.ignored());
        }
        listener.refreshed(
                before.equals(read.keys()) && known != null ? RefreshResult.UNCHANGED : RefreshResult.CHANGED);
    }

    private void report(List<JwkSetDocument.Ignored> ignored) {
        for (var key : ignored.subList(0, Math.min(ignored.size(), MAX_REPORTED))) {
            // A key that says it is for something else, such as encryption, is nothing odd.
            (key.cause() == JwkSetDocument.Cause.NOT_FOR_SIGNATURES ? log.atDebug() : log.atWarn())
                    .addKeyValue("issuer", issuer)
                    .addKeyValue("position", key.position())
                    .addKeyValue("kid", ShownText.kid(key.kid()))
                    .addKeyValue("cause", key.cause().code())
                    .log("a key of the set is ignored");
        }
        if (ignored.size() > MAX_REPORTED) {
            log.atWarn()
                    .addKeyValue("issuer", issuer)
                    .addKeyValue("more", ignored.size() - MAX_REPORTED)
                    .log("more keys of the set are ignored");
        }
    }

    /** Notes a failure and says when to try again. */
    private Duration fail(Throwable error) {
        int before = failures;
        failures = before + 1;
        var cause = error instanceof JwkSetEndpoint.UnusableAnswer || error instanceof NoUsableKey
                ? String.valueOf(error.getMessage())
                : error.toString();
        log(error, cause, before == 0 || !cause.equals(problem));
        problem = cause;
        listener.refreshed(RefreshResult.FAILED);
        return retry(before, clock.instant());
    }

    private void log(Throwable error, String cause, boolean isNews) {
        var known = state;
        // An issuer that withdraws all of its keys has made a mistake that only it can mend; one that is away comes
        // back.
        var level = error instanceof NoUsableKey ? log.atError() : log.atWarn();
        // The first of a row is news; the others are the same news.
        var event =
                (isNews ? level : log.atDebug()).addKeyValue("issuer", issuer).addKeyValue("cause", cause);
        (known == null
                        ? event
                        : event.addKeyValue("keys_of", known.keys().confirmedAt())
                                .addKeyValue("usable_until", known.usableUntil()))
                .log("the key set could not be fetched");
    }

    private Duration retry(int failuresBefore, Instant now) {
        var wanted = FIRST_RETRY.multipliedBy(1L << Math.min(failuresBefore, 5));
        var known = state;
        if (known == null || current(now) == null) {
            if (known != null && !lapsed) {
                lapsed = true;
                log.atError()
                        .addKeyValue("issuer", issuer)
                        .addKeyValue("keys_of", known.keys().confirmedAt())
                        .log("the last good keys are older than max-stale; tokens of this issuer get 503");
            }
            return shorter(wanted, LAST_RETRY_WITHOUT_KEYS);
        }
        // Not a moment longer than there are keys: without any it is asked more often.
        var left = Duration.between(now, known.usableUntil()).plusMillis(1);
        return shorter(shorter(wanted, LAST_RETRY), left);
    }

    private Duration interval(@Nullable Duration maxAge) {
        var most = timing.refresh();
        var wanted = maxAge == null ? most : shorter(maxAge, most);
        var interval = wanted.compareTo(LEAST_INTERVAL) < 0 ? shorter(LEAST_INTERVAL, most) : wanted;
        return Duration.ofMillis((long) (interval.toMillis() * REFRESH_AHEAD));
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
