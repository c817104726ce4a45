// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import io.sallyport.app.demo.DemoCase;
import io.sallyport.app.demo.DemoIssuer;
import io.sallyport.app.demo.DemoParts;
import java.util.ArrayList;
import java.util.List;

/** Prints what runs where, and one thing to paste into a shell for each case. */
public final class DemoGuide {
    private final DemoParts parts;

    public DemoGuide(DemoParts parts) {
        this.parts = parts;
    }

    /**
     * Prints it all.
     *
     * @param caDirectory where {@code ca.pem} is for whoever pastes, as a word of the shell
     */
    void print(Terminal terminal, String caDirectory) {
        terminal.line();
        for (var item : inventory()) {
            terminal.line("  %-14s %s".formatted(item.getFirst(), item.getLast()));
        }
        terminal.line();
        terminal.line(terminal.strong("Paste this into another shell first:"));
        terminal.line();
        preparation(caDirectory).forEach(line -> terminal.line("  " + line));
        terminal.line();
        terminal.line(terminal.strong("Then any of these:"));
        for (var demoCase : DemoCase.values()) {
            terminal.line();
            terminal.line("  "
                    + terminal.faint(
                            "# %s: %s -> %d".formatted(demoCase.title(), demoCase.story(), demoCase.expectedStatus())));
            terminal.line("  " + command(demoCase));
        }
    }

    private List<List<String>> inventory() {
        var items = new ArrayList<List<String>>();
        items.add(List.of("gateway", parts.gateway().toString()));
        items.add(List.of(
                "management",
                "%s  (/livez, /readyz; more with a token of client %s)"
                        .formatted(parts.management(), DemoParts.OPERATOR)));
        items.add(List.of(
                "issuer",
                "%s  (clients %s, %s, %s; secret: %s)"
                        .formatted(
                                parts.issuer().issuer(),
                                DemoParts.ACME,
                                DemoParts.GLOBEX,
                                DemoParts.ACME_LAPTOP,
                                DemoIssuer.CLIENT_SECRET)));
        items.add(List.of("identity", DemoParts.GATEWAY_ID + ", from " + parts.identitySource()));
        for (var upstream : List.of(parts.payments(), parts.orders(), parts.impostor())) {
            items.add(List.of(
                    "upstream", "%s, port %d, is %s".formatted(upstream.name(), upstream.port(), upstream.id())));
        }
        items.add(List.of(
                "configuration",
                parts.configuration() + "  (edit it, with a line ... at its end: it is read again while this runs)"));
        items.add(List.of("decision log", parts.decisionLog().toString()));
        return items;
    }

    /** What the commands need: two short functions of the shell, any POSIX one. */
    public List<String> preparation(String caDirectory) {
        return List.of(
                "D=" + caDirectory,
                "GW=" + parts.gateway(),
                "token() { c=$1; shift; curl -sS --cacert \"$D/ca.pem\" -u \"$c:" + DemoIssuer.CLIENT_SECRET
                        + "\" -d grant_type=client_credentials \"$@\" "
                        + parts.issuer().issuer()
                        + "/token | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/'; }",
                "call() { curl -sS -i --cacert \"$D/ca.pem\" \"$@\"; echo; }");
    }

    /** The request as one line of shell. */
    public static String command(DemoCase demoCase) {
        var url = "\"$GW" + demoCase.path() + "\"";
        return switch (demoCase.credential()) {
            case DemoCase.Credential.None _ -> "call " + url;
            case DemoCase.Credential.Token token
            when demoCase.times() > 1 ->
                "T=$(token %s%s); for i in $(seq %d); do call -H \"Authorization: Bearer $T\" %s | head -n 1; done"
                        .formatted(token.client(), token.curlOptions(), demoCase.times(), url);
            case DemoCase.Credential.Token token ->
                "call -H \"Authorization: Bearer $(token %s%s)\" %s"
                        .formatted(token.client(), token.curlOptions(), url);
            case DemoCase.Credential.Forged(var client) ->
                "A=$(token %s); B=$(token %s); call -H \"Authorization: Bearer ${A%%.*}.${B##*.}\" %s"
                        .formatted(client, client, url);
        };
    }
}
