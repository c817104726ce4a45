// SPDX-License-Identifier: Apache-2.0
package io.sallyport.config;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Documents one key of the configuration file: a component of a section's record. The key is the component's name with
 * dashes ({@code clockSkew} is {@code clock-skew}).
 *
 * <p>A component is required unless it has a default here or is {@code @Nullable} (see {@link #required}). A component's type is a scalar ({@link
 * String}, boolean, int, long, {@link java.time.Duration}, {@code DataSize}, {@link java.net.URI}, {@link
 * java.nio.file.Path}, an enum written in lower case with dashes), any type with a {@code public static T parse(String)} (or {@code parse(String, Path)}, which gets the file's folder too),
 * another section, or a {@code List} or {@code Map<String, ...>} of these. A section that has such a {@code parse} may also
 * be written as one word.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Setting {
    /** What the key says, with unit and range: one or two sentences for the reference. */
    String value();

    /**
     * Whether the file has to have the key although the component is {@code @Nullable}: it is null only where what the file has
     * is wrong, so that the rest of the section can still be looked at.
     */
    boolean required() default false;

    /** The YAML that is read when the key is absent, for example {@code 30s}, {@code []} or <code>{}</code>; empty for none. */
    String byDefault() default "";

    /** Whether only a restart can change the key: a reload that changes it is refused, and the reference says so. */
    boolean readAtStart() default false;
}
