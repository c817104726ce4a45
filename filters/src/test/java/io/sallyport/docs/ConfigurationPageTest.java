// SPDX-License-Identifier: Apache-2.0
package io.sallyport.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.sallyport.compile.ConfigurationCheck;
import io.sallyport.compile.GatewayFile;
import io.sallyport.config.SettingsReference;
import io.sallyport.config.SettingsSchema;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** {@code docs/configuration.md}, the schema for editors, and the example that both are about. */
final class ConfigurationPageTest {

    @Test
    void the_committed_page_is_what_the_sections_say() throws IOException {
        GeneratedPage.assertUpToDate("docs/configuration.md", introduction() + SettingsReference.of(GatewayFile.class));
    }

    @Test
    void the_committed_schema_is_what_the_sections_say() throws IOException {
        GeneratedPage.assertUpToDate(
                "config/gateway.schema.json", SettingsSchema.of(GatewayFile.class, "The configuration of Sallyport"));
    }

    @Test
    void the_committed_example_is_right() {
        assertThat(ConfigurationCheck.check(GeneratedPage.top().resolve("config/gateway.yaml")))
                .isEmpty();
    }

    private static String introduction() {
        return """
                # The configuration file

                Generated from the records that the gateway reads it into, by `make docs`; do not edit it here. A complete example is
                [`config/gateway.yaml`](../config/gateway.yaml); [`config/gateway.schema.json`](../config/gateway.schema.json) gives
                completion in an editor.

                **One file, and nothing else.** It is named by `sallyport run --config FILE`; where the library is part of another Spring Boot
                application, by the property `sallyport.config` (environment variable `SALLYPORT_CONFIG`). That is the only thing about the
                gateway that can be said outside of the file: a system property, an argument, an environment variable or an `application.yaml`
                that would set a key of it is refused at start.

                **All of it, or none.** Unknown keys, wrong values and unsafe combinations are refused together, each with its line, its path, its
                value and what was expected: at start with exit code 2, and by `sallyport check` without starting anything. Both look at the certificates,
                keys and directories that the file names as well; `check` also at what would keep the gateway from becoming ready (SVIDs, trust bundles, the
                deny-list's journal) and at the ports, unless it is told `--file-only`.

                **Reload.** Replace the file by a rename (`mv`, a mounted ConfigMap), or end it with a line `...`: half a file can be valid, so one that was
                changed in place is taken over only with YAML's document end marker as its last line
                ([ADR 0042](adr/0042-a-file-that-is-written-in-place-says-where-it-ends.md)).
                The gateway looks at the file once a second. When it has changed and then kept still for one look, it is read and
                compiled as a whole; the key sets of new issuers are fetched, for at most their time-out; then the running configuration is
                replaced at once, and each request goes on with the generation that it began with. If anything is wrong nothing changes: the
                findings are logged, `sallyport_config_reloads_total{result="refused"}` counts it,
                `sallyport_config_last_reload_successful` is 0, and the health component `configuration` says so while it stays up. A file that is
                missing changes nothing either; the component's detail `problem` says since when. Buckets,
                circuit breakers, the deny-list and key sets that are still needed survive a reload. What is read at start only (it says so below)
                cannot be changed by one: such a file is refused as a whole, because half of a change is a configuration that nobody wrote.

                **How values are written.** The file is one document of YAML 1.2 without anchors, aliases, tags and merge keys; each key stands once;
                a key without a value is an error. Text that YAML would take for a number or a boolean (`0123`, `true`) needs quotes, so that
                every reader reads the same. Nothing is put in the place of `${...}`, neither variables of the environment nor other keys: a value with it is
                refused, but in `filters`, where it names a group. Durations are a number and `ms`, `s`, `m`, `h` or `d`; sizes a number and `B`, `KB`, `MB` or `GB`,
                in powers of 1024 (`KiB`, `MiB`, `GiB` are the same). A relative path starts from the folder of the file.

                **Modes.** `mode: observe` lets a stage judge without consequence, and records what it would have done; `off` leaves it out. `stages`
                says it for every route, a route's own `stages` goes before. `edge`, `flood` and `route` always enforce, and only `revocation`,
                `ratelimit` and `risk` may be off, or undecided (`on-undecided: deny` or `pass`). Observing `authenticate` or `authorize` opens a
                route, so it is written as `insecure-observe: true` in that section of that very route, and nowhere else.

                """;
    }
}
