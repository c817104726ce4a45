// SPDX-License-Identifier: Apache-2.0
package io.sallyport.revocation.journal;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.sallyport.revocation.denylist.DenyListChanges;
import io.sallyport.revocation.denylist.DenyListEntry;
import io.sallyport.revocation.denylist.DenyListIndex;
import io.sallyport.revocation.denylist.DenyListKey;
import io.sallyport.revocation.denylist.DenyListStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a deny-list in a file. A change is decided, written, forced to disk, put into the index and acknowledged, in this order, by one
 * thread; changes that wait for it are written together.
 */
public final class DenyListJournal implements DenyListStore, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(DenyListJournal.class);

    private static final int MAX_WAITING = 1024;
    private static final int MAX_TOGETHER = 256;
    /** Between two looks whether the file is still there. */
    private static final Duration LOOK_INTERVAL = Duration.ofSeconds(1);
    /** How many changes that no longer count are worth a compaction, beside as many as there are entries. */
    private static final int GARBAGE = 1024;

    private final Path path;
    private final DenyListIndex index;
    private final int maxEntries;
    private final InstantSource clock;
    private final Counter failures;
    private final BlockingQueue<Command> waiting = new LinkedBlockingQueue<>();
    /** Null if it could not be read back. Visible to the test that breaks it. */
    final @Nullable JournalFile file;

    private final CompletableFuture<Boolean> stopped = new CompletableFuture<>();

    /** Why the journal cannot be used, for health; null if it can. */
    private volatile @Nullable String problem;

    private boolean closed;
    /** Of the writer's thread: an append failed, so what the file's end looks like is not known. */
    private boolean unknownEnd;

    private DenyListJournal(Path path, DenyListIndex index, int maxEntries, InstantSource clock, MeterRegistry meters) {
        this.path = path;
        this.index = index;
        this.maxEntries = maxEntries;
        this.clock = clock;
        this.failures = Counter.builder("sallyport.revocation.journal.failures")
                .description("Changes of the deny-list that could not be made durable")
                .register(meters);
        this.file = replay();
        if (file != null) {
            start(file);
        }
    }

    /**
     * Reads the journal back into the index, on the caller's thread, and takes changes from then on. If it cannot be read, the index stays
     * incomplete, no change is taken, {@link #problem} says why, and the file is left as it is.
     *
     * @param index empty
     */
    public static DenyListJournal open(
            Path path, DenyListIndex index, int maxEntries, InstantSource clock, MeterRegistry meters) {
        return new DenyListJournal(path, index, maxEntries, clock, meters);
    }

    /** Says why the journal could not be opened now, without making or changing anything; null if nothing is in the way. Blocks. */
    public static @Nullable String obstacle(Path path) {
        return JournalFile.obstacle(path);
    }

    private @Nullable JournalFile replay() {
        try {
            var opened = JournalFile.open(path, this::replay);
            index.sweep(clock.instant());
            index.complete();
            log.atInfo()
                    .addKeyValue("journal", path)
                    .addKeyValue("entries", index.size())
                    .log("deny-list read back");
            return opened;
        } catch (IOException e) {
            problem = "the deny-list could not be read back: " + described(e);
            log.atError()
                    .addKeyValue("journal", path)
                    .addKeyValue("problem", described(e))
                    .log("the deny-list could not be read back");
            return null;
        }
    }

    /** With the exception's name, unless the sentence is ours: the JDK often says the file's name alone, or nothing. */
    private static String described(IOException e) {
        return e.getClass() == IOException.class
                ? String.valueOf(e.getMessage())
                : "%s (%s)".formatted(e.getClass().getSimpleName(), e.getMessage());
    }

    private void replay(JournalLine.Change change) {
        var entry = change.entry();
        if (entry == null) {
            index.remove(change.key());
        } else {
            index.put(entry);
        }
    }

    private void start(JournalFile opened) {
        Thread.ofPlatform().name("sallyport-deny-list").daemon().start(() -> run(opened));
    }

    @Override
    public @Nullable String problem() {
        return problem;
    }

    @Override
    public CompletionStage<Change> add(DenyListEntry entry) {
        return submit(changes -> changes.add(entry));
    }

    @Override
    public CompletionStage<Change> remove(DenyListKey key) {
        return submit(changes -> changes.remove(key));
    }

    private CompletionStage<Change> submit(Function<DenyListChanges, Change> decide) {
        if (file == null) {
            return failed("The deny-list could not be read back when the gateway started");
        }
        var command = new Command(decide, new CompletableFuture<>());
        // Under the lock that close() takes, so that none comes after STOP and waits for ever.
        synchronized (waiting) {
            if (closed) {
                return failed("The gateway is shutting down");
            }
            if (waiting.size() >= MAX_WAITING) {
                return failed("Too many changes of the deny-list are waiting");
            }
            waiting.add(command);
            return command.done();
        }
    }

    private CompletionStage<Change> failed(String why) {
        failures.increment();
        return CompletableFuture.completedStage(new Change.Failed(why));
    }

    @Override
    public List<DenyListEntry> entries() {
        return index.entries(clock.instant());
    }

    @Override
    public boolean isDurable() {
        return true;
    }

    /** What was asked of the journal; nothing is decided for {@link #STOP}. */
    private record Command(@Nullable Function<DenyListChanges, Change> decide, CompletableFuture<Change> done) {
        private static final Command STOP = new Command(null, new CompletableFuture<>());
    }

    private void run(JournalFile opened) {
        var batch = new ArrayList<Command>(MAX_TOGETHER);
        boolean stop = false;
        while (!stop) {
            var command = take();
            look(opened);
            if (command == null) {
                continue;
            }
            batch.add(command);
            waiting.drainTo(batch, MAX_TOGETHER - 1);
            stop = batch.removeIf(each -> each.decide() == null);
            change(opened, batch);
            batch.clear();
        }
        try {
            opened.close();
        } catch (IOException e) {
            log.atWarn()
                    .addKeyValue("journal", path)
                    .addKeyValue("problem", described(e))
                    .log("the journal could not be closed");
        }
        stopped.complete(true);
    }

    /** The next command; null if there was none for a while. */
    private @Nullable Command take() {
        try {
            return waiting.poll(LOOK_INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException _) {
            // Nobody has reason to. Kept, it would close the file under this thread.
            return null;
        }
    }

    /** Writes the journal anew if somebody has removed or changed it: a restart would let in who is revoked. */
    private void look(JournalFile opened) {
        if (!unknownEnd && !opened.isInPlace()) {
            unknownEnd = true;
            log.atError()
                    .addKeyValue("journal", path)
                    .log("the journal was removed or changed by somebody else; it is written anew");
        }
        if (unknownEnd) {
            try {
                rewrite(opened);
            } catch (IOException e) {
                failed(e, "the deny-list's journal could not be written anew");
            }
        }
    }

    private void rewrite(JournalFile opened) throws IOException {
        opened.rewrite(index.entries(clock.instant()));
        unknownEnd = false;
        problem = null;
    }

    /** Logged once for each cause: it is tried again every second. */
    private void failed(IOException e, String event) {
        var now = "the deny-list's journal could not be written: " + described(e);
        if (!now.equals(problem)) {
            log.atError()
                    .addKeyValue("journal", path)
                    .addKeyValue("problem", described(e))
                    .log(event);
        }
        problem = now;
    }

    private void change(JournalFile opened, List<Command> batch) {
        var changes = new DenyListChanges(index, maxEntries, clock.instant());
        var decided = new ArrayList<Change>(batch.size());
        for (var command : batch) {
            var decide = command.decide();
            decided.add(decide == null ? new Change.Absent() : decide.apply(changes));
        }
        var failure = makeDurable(opened, changes);
        if (failure == null) {
            changes.apply();
        } else {
            failures.increment(batch.size());
        }
        for (int i = 0; i < batch.size(); i++) {
            batch.get(i).done().complete(failure == null ? decided.get(i) : failure);
        }
        compactIfWorthwhile(opened);
    }

    /** Returns what became of the changes if they could not be made durable. */
    private Change.@Nullable Failed makeDurable(JournalFile opened, DenyListChanges changes) {
        if (changes.net().isEmpty()) {
            return null;
        }
        try {
            if (unknownEnd) {
                rewrite(opened);
            }
            opened.append(changes.net());
            problem = null;
            return null;
        } catch (IOException e) {
            unknownEnd = true;
            failed(e, "a change of the deny-list could not be written");
            return new Change.Failed("The change could not be written to disk");
        }
    }

    private void compactIfWorthwhile(JournalFile opened) {
        if (unknownEnd || opened.changes() <= 2L * index.size() + GARBAGE) {
            return;
        }
        try {
            index.sweep(clock.instant());
            opened.rewrite(index.entries(clock.instant()));
        } catch (IOException e) {
            // Nothing is lost; whether the file at that place is the old or the new one is not known.
            unknownEnd = true;
            log.atWarn()
                    .addKeyValue("journal", path)
                    .addKeyValue("problem", described(e))
                    .log("the journal could not be compacted");
        }
    }

    /** Makes durable what is waiting, and gives the file free. Blocks until that is done, also when it is interrupted. */
    @Override
    public void close() {
        synchronized (waiting) {
            closed = true;
            waiting.add(Command.STOP);
        }
        if (file != null) {
            stopped.join();
        }
    }
}
