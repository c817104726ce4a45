// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import io.sallyport.compile.InvalidConfiguration;
import java.io.PrintWriter;
import java.net.BindException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.web.server.PortInUseException;
import picocli.CommandLine;

/** Turns what went wrong into one sentence and an exit code. */
final class Failures {
    private Failures() {}

    /** Prints what happened, and returns the exit code for it. */
    static int report(Throwable thrown, PrintWriter err, boolean verbose) {
        var code = CommandLine.ExitCode.SOFTWARE;
        if (find(thrown, InvalidConfiguration.class) instanceof InvalidConfiguration invalid) {
            invalid.lines().forEach(err::println);
            err.println("sallyport: the configuration is not valid; nothing was started");
            code = CommandLine.ExitCode.USAGE;
        } else {
            err.println("sallyport: " + sentence(thrown));
        }
        if (verbose) {
            thrown.printStackTrace(err);
        }
        err.flush();
        return code;
    }

    private static String sentence(Throwable thrown) {
        if (find(thrown, CommandFailure.class) instanceof CommandFailure failure) {
            return failure.getMessage();
        }
        if (find(thrown, PortInUseException.class) instanceof PortInUseException inUse) {
            return "cannot listen on port %d: something else does already".formatted(inUse.getPort());
        }
        if (find(thrown, BindException.class) != null) {
            return "cannot listen: " + rootCause(thrown).getMessage();
        }
        var root = rootCause(thrown);
        var message = root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        return "failed: %s (--verbose shows more)"
                .formatted(message.lines().findFirst().orElse(message));
    }

    private static Throwable rootCause(Throwable thrown) {
        var cause = thrown;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    private static @Nullable Throwable find(Throwable thrown, Class<? extends Throwable> type) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return cause;
            }
        }
        return null;
    }
}
