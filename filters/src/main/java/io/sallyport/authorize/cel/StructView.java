// SPDX-License-Identifier: Apache-2.0
package io.sallyport.authorize.cel;

import dev.cel.common.types.CelType;
import dev.cel.common.values.StructValue;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One request's value of a {@link Struct}: nothing but a reference until a member is read. */
@SuppressWarnings("Immutable") // confined to one request's event loop, like the context that it reads
final class StructView extends StructValue<String, Object> {
    private final Struct struct;
    private final RequestVariables request;

    StructView(Struct struct, RequestVariables request) {
        this.struct = struct;
        this.request = request;
    }

    @Override
    public Object select(String member) {
        var value = read(member);
        if (value == null) {
            throw UnreadableMember.missing();
        }
        return value;
    }

    @Override
    public Optional<Object> find(String member) {
        return Optional.ofNullable(read(member));
    }

    private @Nullable Object read(String name) {
        var member = struct.members().get(name);
        return member == null ? null : member.value().apply(request);
    }

    @Override
    public Object value() {
        return this;
    }

    @Override
    public boolean isZeroValue() {
        return false;
    }

    @Override
    public CelType celType() {
        return struct.type();
    }
}
