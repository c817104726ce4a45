// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import static com.google.common.collect.ImmutableMap.toImmutableMap;

import dev.cel.common.types.CelType;
import dev.cel.common.types.StructType;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A variable with members, as rules see it: declared as a type, so that a misspelt member does not compile, and read member by
 * member, so that only what a rule names is made.
 */
final class Struct {
    private final String name;
    private final StructType type;
    private final Map<String, Member> members;

    /** @param name of the variable; its type is named after it */
    Struct(String name, Map<String, Member> members) {
        this.name = name;
        this.members = Map.copyOf(members);
        var types = this.members.entrySet().stream()
                .collect(toImmutableMap(
                        Map.Entry::getKey, member -> member.getValue().type()));
        this.type = StructType.create(
                "sallyport." + name, types.keySet(), member -> Optional.ofNullable(types.get(member)));
    }

    String name() {
        return name;
    }

    StructType type() {
        return type;
    }

    Map<String, Member> members() {
        return members;
    }

    /**
     * One member.
     *
     * @param value of a request, or null if the request has none
     */
    record Member(CelType type, Function<RequestVariables, @Nullable Object> value) {}
}
