// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.identity;

import io.sallyport.config.Setting;

/** Section {@code upstream.identity.headers.<Name>}: one field that tells the upstream something of the caller. */
public record IdentityFieldConfig(
        @Setting(
                "A CEL expression with what rules can name: token.subject. If the request has no such value, there is no field.")
        String value,

        @Setting(
                value =
                        "string: one element, whatever is in it. list: an element for each of the list's, joined by comma; a value that is no"
                                + " list is one element.",
                byDefault = "string")
        Type type,

        @Setting(
                value =
                        "How an element is written. percent: percent, comma, controls and what is not ASCII are percent-encoded UTF-8."
                                + " ext-value: as RFC 8187 has it, UTF-8''...",
                byDefault = "percent")
        FieldEncoding encoding) {
    /** What the value is. */
    public enum Type {
        STRING,
        LIST
    }
}
