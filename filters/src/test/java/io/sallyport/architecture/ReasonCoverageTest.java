// SPDX-License-Identifier: Apache-2.0
package io.sallyport.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.sallyport.decision.Reason;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every reason is given by its origin, and asked for by a test of its origin. Read from the compiled classes, so that neither
 * a comment nor an import counts, beside names in an {@code @EnumSource}: a reason that the code of its origin does not load is given by nobody, and one that no test
 * class of the same package loads is expected by nobody.
 *
 * <p>What this cannot see is whether the test that names a reason expects it to be given; that is for whoever reads the test.
 * It does see every reason that was registered and forgotten, and every one whose last test went away.
 */
class ReasonCoverageTest {
    // Bytes that are no message, and ways out that no stage sees, end in wire;
    // it gives reasons of these origins as well.
    private static final Map<String, List<String>> BESIDES_ITS_OWN_PACKAGE = Map.of(
            "edge", List.of("wire"),
            "forward", List.of("wire", "gateway"),
            "pipeline", List.of("wire", "ingress"));

    @Test
    void every_reason_is_given_by_the_code_of_its_origin() {
        assertThat(notLoadedBy(ArchitectureTest.MAIN)).isEmpty();
    }

    @Test
    void every_reason_is_expected_by_a_test_of_its_origin() {
        assertThat(notLoadedBy(tests())).isEmpty();
    }

    /** The compiled tests alone: what they call is asked for by its name, so that nothing else is read from the class path. */
    private static JavaClasses tests() {
        return ArchConfiguration.withThreadLocalScope(configuration -> {
            configuration.setResolveMissingDependenciesFromClassPath(false);
            return new ClassFileImporter()
                    .withImportOption(new ImportOption.OnlyIncludeTests())
                    .importPackages("io.sallyport");
        });
    }

    private static Set<Reason> notLoadedBy(JavaClasses classes) {
        var missing = EnumSet.allOf(Reason.class);
        for (var loading : classes) {
            namedForParameters(loading)
                    .filter(reason -> belongsTo(reason, loading))
                    .forEach(missing::remove);
            for (var access : loading.getFieldAccessesFromSelf()) {
                if (access.getTargetOwner().isEquivalentTo(Reason.class)) {
                    Arrays.stream(Reason.values())
                            .filter(reason ->
                                    reason.name().equals(access.getTarget().getName()))
                            .filter(reason -> belongsTo(reason, loading))
                            .forEach(missing::remove);
                }
            }
        }
        return missing;
    }

    /** The reasons that {@code @EnumSource(names = ...)} feeds to tests whose first parameter is a reason. */
    private static Stream<Reason> namedForParameters(JavaClass tests) {
        return tests.getMethods().stream()
                .filter(test -> test.isAnnotatedWith(EnumSource.class))
                .filter(test -> test.getRawParameterTypes().getFirst().isEquivalentTo(Reason.class))
                .map(test -> test.getAnnotationOfType(EnumSource.class))
                .filter(source -> source.mode() == EnumSource.Mode.INCLUDE)
                .flatMap(source -> Arrays.stream(source.names()))
                .map(Reason::valueOf);
    }

    private static boolean belongsTo(Reason reason, JavaClass loading) {
        var packageName = loading.getPackageName() + ".";
        return packageName.startsWith("io.sallyport." + reason.origin() + ".")
                || BESIDES_ITS_OWN_PACKAGE.getOrDefault(reason.origin(), List.of()).stream()
                        .anyMatch(other -> packageName.startsWith("io.sallyport." + other + "."));
    }
}
