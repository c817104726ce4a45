// SPDX-License-Identifier: Apache-2.0
package io.sallyport.edge;

import io.sallyport.config.Setting;

/**
 * What the paths of one route may have that is refused elsewhere: the section {@code paths} of a route. There is one reading of such a
 * path too: an encoded slash is part of the value that it stands in, and parameters are part of no segment.
 */
public record PathRules(
        @Setting(
                value =
                        "Whether the value of a {name} in match.path may have encoded slashes (%2F): refuse or pass. Passed, it is forwarded as it"
                                + " came, and path.name in rules has the slash. What a slash would make an empty or a dot segment of is refused.",
                byDefault = "refuse")
        Handling encodedSlash,

        @Setting(
                value =
                        "Whether segments may have parameters (;name=value): refuse or pass. Passed, they take no part in matching and rules, and are"
                                + " forwarded as they came.",
                byDefault = "refuse")
        Handling parameters) {

    /** What is done with such a path. */
    public enum Handling {
        REFUSE,
        PASS
    }

    /** Of a route that says nothing. */
    public static final PathRules STRICT = new PathRules(Handling.REFUSE, Handling.REFUSE);

    public boolean passesEncodedSlashes() {
        return encodedSlash == Handling.PASS;
    }

    public boolean passesParameters() {
        return parameters == Handling.PASS;
    }

    /** What either lets pass. */
    public PathRules or(PathRules other) {
        return new PathRules(
                passesEncodedSlashes() ? encodedSlash : other.encodedSlash,
                passesParameters() ? parameters : other.parameters);
    }
}
