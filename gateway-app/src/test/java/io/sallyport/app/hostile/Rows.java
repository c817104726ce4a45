// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.hostile;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.params.ParameterInfo;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.provider.ArgumentsSource;
import org.junit.jupiter.params.support.AnnotationConsumer;
import org.junit.jupiter.params.support.ParameterDeclarations;

/**
 * The rows of these tables, which are static methods of the test class. In a class that runs on both ways forward, each row takes
 * one way, in turn. With {@link Effort#ALL} each row takes both.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ArgumentsSource(Rows.Provider.class)
@interface Rows {
    String[] value();

    /** Reads the tables. */
    final class Provider implements ArgumentsProvider, AnnotationConsumer<Rows> {
        private String[] tables = {};

        @Override
        public void accept(Rows rows) {
            tables = rows.value();
        }

        @Override
        public Stream<Arguments> provideArguments(ParameterDeclarations parameters, ExtensionContext context) {
            var rows = Arrays.stream(tables)
                    .flatMap(table -> rowsOf(context.getRequiredTestClass(), table))
                    .toList();
            var ofClass = ParameterInfo.get(context);
            if (ofClass == null || Effort.current() == Effort.ALL) {
                return rows.stream().map(Arguments::of);
            }
            var ways = Way.values();
            var way = ofClass.getArguments().get(0, Way.class);
            return IntStream.range(0, rows.size())
                    .filter(row -> ways[row % ways.length] == way)
                    .mapToObj(row -> Arguments.of(rows.get(row)));
        }

        private static Stream<?> rowsOf(Class<?> tests, String table) {
            try {
                return (Stream<?>) tests.getDeclaredMethod(table).invoke(null);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("%s has no table %s".formatted(tests.getSimpleName(), table), e);
            }
        }
    }
}
