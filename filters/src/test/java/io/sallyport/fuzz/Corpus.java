// SPDX-License-Identifier: Apache-2.0
package io.sallyport.fuzz;

import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/** The kept inputs of one target, in {@code src/test/resources/fuzz}: its seeds, and whatever was once a finding. */
public final class Corpus {
    private static final int MUTANTS = 20_000;
    private static final int MAX_LENGTH = 4096;

    private final List<byte[]> inputs;

    private Corpus(List<byte[]> inputs) {
        this.inputs = inputs;
    }

    /** The corpus of the target of that name. */
    public static Corpus of(Class<?> target) throws IOException {
        var folder = Path.of("src/test/resources/fuzz", target.getSimpleName());
        var inputs = new ArrayList<byte[]>();
        try (var files = Files.list(folder)) {
            for (var file : files.sorted().toList()) {
                inputs.add(Files.readAllBytes(file));
            }
        }
        return new Corpus(inputs);
    }

    /** Replays each input. */
    public void replay(Consumer<byte[]> target) {
        inputs.forEach(input -> run(target, input));
    }

    /** Replays mutations of the inputs, the same in each run. */
    public void mutate(Consumer<byte[]> target) {
        var random = new Random(8);
        for (int i = 0; i < MUTANTS; i++) {
            var mutant = inputs.get(random.nextInt(inputs.size()));
            for (int times = random.nextInt(4); times >= 0; times--) {
                mutant = mutant(mutant, random);
            }
            run(target, mutant);
        }
    }

    private static void run(Consumer<byte[]> target, byte[] input) {
        assertThatCode(() -> target.accept(input))
                .as(() -> "input \"%s\"".formatted(new String(input, StandardCharsets.ISO_8859_1)))
                .doesNotThrowAnyException();
    }

    private byte[] mutant(byte[] input, Random random) {
        int at = random.nextInt(input.length + 1);
        return switch (random.nextInt(5)) {
            case 0 -> spliced(input, at, at, new byte[] {(byte) random.nextInt(256)});
            case 1 -> spliced(input, at, Math.min(input.length, at + 1 + random.nextInt(4)), new byte[0]);
            case 2 -> spliced(input, at, Math.min(input.length, at + 1), new byte[] {(byte) random.nextInt(256)});
            case 3 -> spliced(input, at, at, piece(input, random));
            default -> spliced(input, at, input.length, piece(inputs.get(random.nextInt(inputs.size())), random));
        };
    }

    private static byte[] piece(byte[] of, Random random) {
        int from = random.nextInt(of.length + 1);
        return Arrays.copyOfRange(of, from, from + random.nextInt(of.length - from + 1));
    }

    private static byte[] spliced(byte[] input, int from, int to, byte[] middle) {
        var out = new byte[from + middle.length + input.length - to];
        System.arraycopy(input, 0, out, 0, from);
        System.arraycopy(middle, 0, out, from, middle.length);
        System.arraycopy(input, to, out, from + middle.length, input.length - to);
        return Arrays.copyOf(out, Math.min(out.length, MAX_LENGTH));
    }
}
