// SPDX-License-Identifier: Apache-2.0
package io.sallyport.management;

import io.netty.util.NetUtil;
import io.sallyport.config.Finding;
import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.wire.tls.CertificateFiles;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The management port: who may look, and who may revoke. Read when the process starts; a reload that changes it takes a
 * restart.
 *
 * @param tls null if and only if {@code insecurePlaintext}
 * @param issuer null if nothing but the probes and the metrics is to be reachable
 * @param audience null if and only if {@code issuer} is
 */
public record ManagementConfig(
        @Setting(
                value = "The address to listen on, a literal. The probes of Kubernetes need another than loopback.",
                byDefault = "127.0.0.1")
        String address,

        @Setting(value = "The port to listen on, 0 (any free one) to 65535; not the listener's.", byDefault = "8444")
        int port,

        @Setting("The certificate of this port. Required unless insecure-plaintext is true.") @Nullable
        CertificateFiles tls,

        @Setting(value = "Listens without TLS: tokens then cross the network readable.", byDefault = "false")
        boolean insecurePlaintext,

        @Setting(
                "The name under issuers whose tokens are accepted here. Without it only the probes are answered, and scrapers.")
        @Nullable
        String issuer,

        @Setting("The audience that such a token must name; required with issuer, and best used for nothing else.")
        @Nullable
        String audience,

        @Setting(
                value = "The scope that reads health details, metrics and the deny-list.",
                byDefault = "sallyport:read")
        String readScope,

        @Setting(value = "The scope that changes the deny-list.", byDefault = "sallyport:write")
        String writeScope,

        @Setting(
                "Who may read /actuator/prometheus by a credential of their own, beside tokens of issuer: metrics can then be read while that issuer has no keys.")
        @Nullable
        ScrapeConfig scrape) {

    private static final int HIGHEST_PORT = 65_535;
    // RFC 6749 section 3.3.
    private static final Pattern SCOPE_TOKEN = Pattern.compile("[\\x21\\x23-\\x5b\\x5d-\\x7e]+");

    public ManagementConfig {
        if (!NetUtil.isValidIpV4Address(address) && !NetUtil.isValidIpV6Address(address)) {
            throw new InvalidSetting("address", address, "an IPv4 or IPv6 address");
        }
        if (port < 0 || port > HIGHEST_PORT) {
            throw new InvalidSetting("port", port, "0 to " + HIGHEST_PORT);
        }
        if (tls == null && !insecurePlaintext) {
            throw new InvalidSetting("tls", Finding.ABSENT, "certificate and key, or else insecure-plaintext: true");
        }
        if (tls != null && insecurePlaintext) {
            throw new InvalidSetting("insecure-plaintext", true, "false or absent, because tls is there");
        }
        if (issuer != null && audience == null) {
            throw new InvalidSetting(
                    "audience", Finding.ABSENT, "the audience of tokens for this port, because issuer is there");
        }
        if (issuer == null && audience != null) {
            throw new InvalidSetting("issuer", Finding.ABSENT, "the name of an issuer, because audience is there");
        }
        if (scrape != null && scrape.asksForCertificates() && tls == null) {
            throw new InvalidSetting(
                    "scrape", "(a section)", "token-file alone, because without tls no client shows a certificate");
        }
        requireScope("read-scope", readScope);
        requireScope("write-scope", writeScope);
        if (readScope.equals(writeScope)) {
            throw new InvalidSetting("write-scope", writeScope, "another scope than read-scope");
        }
    }

    /** Whether some client may show an X509-SVID. */
    public boolean asksForSvids() {
        return scrape != null && !scrape.clientSpiffeIds().isEmpty();
    }

    private static void requireScope(String key, String scope) {
        if (!SCOPE_TOKEN.matcher(scope).matches()) {
            throw new InvalidSetting(key, scope, "one scope: printable ASCII without space, quote and backslash");
        }
    }
}
