// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.lang.reflect.RecordComponent;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Finds the keys that changed although only a restart can change them: those with {@link Setting#readAtStart}. */
public final class ReadAtStart {
    private ReadAtStart() {}

    /**
     * Adds a finding for each such key that is not what it was. Looks into sections, but not into lists and maps of them.
     *
     * @param inForce the section that the process runs with
     * @param next the same section of the file
     */
    public static <R extends Record> void requireUnchanged(R inForce, R next, Findings.Place at) {
        compare(inForce.getClass(), inForce, next, at);
    }

    private static void compare(Class<?> section, @Nullable Object inForce, @Nullable Object next, Findings.Place at) {
        for (var component : section.getRecordComponents()) {
            var setting = component.getAnnotation(Setting.class);
            var before = read(component, inForce);
            var after = read(component, next);
            if (setting == null || Objects.equals(before, after)) {
                continue;
            }
            var place = at.child(SectionShape.keyOf(component.getName()));
            if (!setting.readAtStart()) {
                if (component.getType().isRecord()) {
                    compare(component.getType(), before, after, place);
                }
            } else if (!at.findings().concern(place.path())) {
                place.reject("changed", "what it was: it is read at start only, so a change needs a restart");
            }
        }
    }

    private static @Nullable Object read(RecordComponent component, @Nullable Object section) {
        try {
            return section == null ? null : component.getAccessor().invoke(section);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("component %s cannot be read".formatted(component), e);
        }
    }
}
