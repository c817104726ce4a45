// SPDX-License-Identifier: Apache-2.0
package io.sallyport.risk;

import io.sallyport.config.InvalidSetting;
import io.sallyport.config.Setting;
import io.sallyport.identity.ClaimPath;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Section {@code stages.risk.signals}. */
public record SignalsConfig(
        @Setting("Authentications that failed within the last minute, of the client's address or of the subject.")
        @Nullable
        AuthFailures authFailures,

        @Setting("An access token that was issued long ago.") @Nullable
        TokenAge tokenAge,

        @Setting("A User-Agent that names a scanner.") @Nullable
        UaScanner uaScanner,

        @Setting("A token that does not say that the device complies.") @Nullable
        DeviceNoncompliant deviceNoncompliant) {

    static final String WEIGHT = "What the signal contributes to the score at most; 0 to 100.";

    /** Section {@code auth-failures}. */
    public record AuthFailures(
            @Setting(WEIGHT) int weight,

            @Setting(
                    value =
                            "From how many failures on the weight counts in full; fewer count in proportion. 1 to 10000000.",
                    byDefault = "10")
            int failures) {
        public AuthFailures {
            requireWeight(weight);
            if (failures < 1 || failures > 10_000_000) {
                throw new InvalidSetting("failures", failures, "1 to 10000000");
            }
        }
    }

    /** Section {@code token-age}. */
    public record TokenAge(
            @Setting(WEIGHT) int weight,

            @Setting("The age, counted from iat, from which on a token is old; more than 0s.")
            Duration olderThan) {
        public TokenAge {
            requireWeight(weight);
            if (!olderThan.isPositive()) {
                throw new InvalidSetting("older-than", olderThan, "more than 0s");
            }
        }
    }

    /** Section {@code ua-scanner}. */
    public record UaScanner(
            @Setting(WEIGHT) int weight,

            @Setting(
                    value =
                            "Names of which one occurs anywhere in a scanner's User-Agent, upper and lower case alike; each 3"
                                    + " to 64 printable ASCII characters, at most 256 names.",
                    byDefault =
                            "[sqlmap, nikto, nmap, masscan, zgrab, nuclei, gobuster, dirbuster, dirsearch, feroxbuster,"
                                    + " ffuf, wfuzz, wpscan, whatweb, acunetix, netsparker, nessus, openvas, arachni, skipfish, w3af,"
                                    + " havij, jaeles, zaproxy]")
            List<String> names) {
        private static final int MAX_NAMES = 256;

        public UaScanner {
            requireWeight(weight);
            names = List.copyOf(names);
            if (names.isEmpty() || names.size() > MAX_NAMES) {
                throw new InvalidSetting("names", names.size() + " names", "1 to " + MAX_NAMES);
            }
            for (var name : names) {
                if (name.length() < 3 || name.length() > 64 || !name.chars().allMatch(c -> c >= 0x20 && c <= 0x7e)) {
                    throw new InvalidSetting("names", name, "3 to 64 printable ASCII characters");
                }
            }
        }
    }

    /** Section {@code device-noncompliant}. */
    public record DeviceNoncompliant(
            @Setting(WEIGHT) int weight,

            @Setting("The claim that tells the device's posture: its name, or a dotted path to it.")
            ClaimPath claim,

            @Setting("The values of the claim that are compliant; any other value, or none, is not.")
            List<String> compliant) {
        public DeviceNoncompliant {
            requireWeight(weight);
            compliant = List.copyOf(compliant);
            if (compliant.isEmpty()) {
                throw new InvalidSetting("compliant", "[]", "at least one value");
            }
        }
    }

    private static void requireWeight(int weight) {
        if (weight < 0 || weight > 100) {
            throw new InvalidSetting("weight", weight, "0 to 100");
        }
    }
}
