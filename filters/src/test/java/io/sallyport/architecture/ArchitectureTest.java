// SPDX-License-Identifier: Apache-2.0
package io.sallyport.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.MethodCallTarget;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.sallyport.pipeline.Permit;
import io.sallyport.pipeline.Pipeline;
import io.sallyport.pipeline.RequestContext;
import io.sallyport.pipeline.Stage;
import io.sallyport.pipeline.StageName;
import io.sallyport.wire.listener.IngressServerCustomizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The architecture, as sentences that the compiled classes have to fulfil. */
class ArchitectureTest {
    private static final String ROOT = "io.sallyport.";
    static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.sallyport");

    private static final List<String> STAGES = Arrays.stream(StageName.values())
            .filter(stage -> stage != StageName.FORWARD)
            .map(StageName::code)
            .toList();
    /** What lies beside the adapters of a stage: the ports, and what they speak of. Without I/O. */
    private static final Set<String> PORTS = Set.of(
            "authenticate.issuer",
            "authenticate.jose",
            "authenticate.keys",
            "authenticate.token",
            "authorize.pdp",
            "ratelimit.store",
            "revocation.denylist");

    private static final List<String> GROUND = List.of("decision", "identity", "config");

    // Dependency direction: boot -> compile -> management, wire, gateway, ingress -> forward, decisionlog, stages ->
    // pipeline, workload -> the ground.

    @ParameterizedTest
    @ValueSource(strings = {"decision", "config", "files", "outbound"})
    void the_ground_stands_on_nothing_of_ours(String ground) {
        allow(ground, List.of());
    }

    @Test
    void identity_knows_only_how_a_setting_is_found_wrong() {
        allow("identity", List.of("config", "decision"));
    }

    @Test
    void the_pipeline_knows_decisions_and_identities_and_nothing_above_it() {
        allow("pipeline", List.of("decision", "identity"));
    }

    @Test
    void the_gateways_own_identity_knows_neither_side_that_shows_it() {
        allow("workload", List.of("identity", "config", "files"));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FORWARD")
    void a_stage_knows_the_pipeline_and_no_other_stage_and_nothing_above_it(StageName stage) {
        // The keys of JWT-SVIDs come from the Workload API too, by the same kind of stream.
        allow(
                stage.code(),
                stage == StageName.AUTHENTICATE
                        ? with(GROUND, "pipeline", "outbound", "workload.api")
                        : with(GROUND, "pipeline", "outbound"));
    }

    @Test
    void the_record_of_a_decision_knows_no_stage_and_nothing_above_it() {
        allow("decisionlog", with(GROUND, "pipeline"));
    }

    @Test
    void the_way_to_an_upstream_knows_no_stage_and_nothing_above_it() {
        allow("forward", with(GROUND, "pipeline", "workload", "files"));
    }

    /** Else a fetch could go where the guard looks at nothing. */
    @Test
    void only_outbound_makes_an_http_client() {
        noClasses()
                .that(not(resideInAPackage(ROOT + "outbound..")))
                .should()
                .callMethodWhere(isOneOf(Map.of(
                        "reactor.netty.http.client.HttpClient", Set.of("create", "newConnection"),
                        "java.net.http.HttpClient", Set.of("newHttpClient", "newBuilder"),
                        "java.net.URL", Set.of("openConnection", "openStream"))))
                .check(MAIN);
    }

    @Test
    void nobody_knows_who_makes_the_beans() {
        noClasses()
                .that(not(resideInAPackage(ROOT + "boot..")))
                .should()
                .dependOnClassesThat(resideInAPackage(ROOT + "boot.."))
                .check(MAIN);
    }

    @Test
    void only_who_makes_the_beans_knows_who_compiles() {
        noClasses()
                .that(not(resideInAnyPackage(ROOT + "boot..", ROOT + "compile..")))
                .should()
                .dependOnClassesThat(resideInAPackage(ROOT + "compile.."))
                .check(MAIN);
    }

    @Test
    void packages_do_not_know_each_other_in_a_circle() {
        slices().matching(ROOT + "(*)..").should().beFreeOfCycles().check(MAIN);
    }

    @Test
    void a_sub_package_does_not_know_the_package_that_it_is_in() {
        classes().should(knowNoPackageAbove()).check(MAIN);
    }

    @Test
    void the_ports_of_authenticate_know_only_those_before_them() {
        var later = List.of("issuer", "keys", "token");
        Map.of("jose", later, "token", List.of("issuer"), "keys", List.of("issuer"))
                .forEach((port, unknown) -> noClasses()
                        .that(resideInAPackage(ROOT + "authenticate." + port))
                        .should()
                        .dependOnClassesThat(resideInAnyPackage(unknown.stream()
                                .map(each -> ROOT + "authenticate." + each)
                                .toArray(String[]::new)))
                        .check(MAIN));
    }

    // What a stage may touch.

    @Test
    void stages_do_not_know_spring_web_types() {
        noClasses()
                .that(areStages())
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "org.springframework.web..",
                        "org.springframework.http..",
                        "org.springframework.cloud..",
                        "org.springframework.boot..",
                        "org.springframework.context..",
                        "org.springframework.beans.."))
                .check(MAIN);
    }

    @Test
    void stages_do_input_and_output_in_the_adapters_of_their_sub_packages_alone() {
        noClasses()
                .that(areStages())
                .and(not(areAdapters()))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "java.net.http..",
                        "java.nio.channels..",
                        "reactor.netty..",
                        "io.netty.channel..",
                        "javax.net.."))
                .orShould()
                .callMethodWhere(isOneOf(Map.of(
                        "java.nio.file.Files", Set.of(),
                        "java.net.InetAddress", Set.of("getByName", "getAllByName", "getLocalHost"),
                        "java.net.URL", Set.of("openConnection", "openStream", "getContent"))))
                .check(MAIN);
    }

    @Test
    void nothing_that_a_request_passes_through_waits_for_somebody() {
        noClasses()
                .that(areStages())
                .or(resideInAnyPackage(
                        ROOT + "pipeline..",
                        ROOT + "ingress..",
                        ROOT + "wire..",
                        ROOT + "gateway..",
                        ROOT + "forward..",
                        ROOT + "workload.."))
                // An adapter may have a thread of its own that waits; that no event loop does is BlockHound's to prove.
                .and(not(areAdapters()))
                .should()
                .callMethodWhere(isOneOf(Map.of(
                        "java.lang.Thread", Set.of("join"),
                        "java.lang.Object", Set.of("wait"),
                        "java.util.concurrent.Future", Set.of("get"),
                        "java.util.concurrent.CompletableFuture", Set.of("get", "join"),
                        "java.util.concurrent.CountDownLatch", Set.of("await"),
                        "java.util.concurrent.Semaphore", Set.of("acquire"),
                        "java.util.concurrent.BlockingQueue", Set.of("put", "take"),
                        "java.util.concurrent.locks.Lock", Set.of("lock", "lockInterruptibly"),
                        "java.util.concurrent.locks.LockSupport", Set.of("park", "parkNanos", "parkUntil"))))
                .check(MAIN);
    }

    @Test
    void nobody_sleeps_and_nobody_blocks_on_a_reactive_answer() {
        noClasses()
                // A reload waits for the key sets of new issuers on a thread of its own, which serves no request.
                .that(not(resideInAnyPackage(ROOT + "boot..", ROOT + "compile..")))
                .should()
                .callMethodWhere(isOneOf(Map.of(
                        "java.lang.Thread", Set.of("sleep"),
                        "java.util.concurrent.TimeUnit", Set.of("sleep"),
                        "reactor.core.publisher.Mono", Set.of("block", "blockOptional", "toFuture"),
                        "reactor.core.publisher.Flux", Set.of("blockFirst", "blockLast", "toIterable", "toStream"))))
                .check(MAIN);
    }

    @Test
    void stages_return_what_they_wait_for_and_only_the_pipeline_subscribes_to_it() {
        noClasses()
                .that(areStages())
                .and(not(areAdapters()))
                .should()
                .callMethodWhere(
                        isOneOf(Map.of("reactor.core.publisher.Mono", Set.of("subscribe", "subscribeOn", "publishOn"))))
                .check(MAIN);
    }

    @Test
    void a_stage_is_final_and_lies_in_the_package_that_is_named_like_it() {
        classes()
                .that()
                .areAssignableTo(Stage.class)
                .and()
                .areNotInterfaces()
                .should()
                .haveModifier(JavaModifier.FINAL)
                .andShould()
                .haveSimpleNameEndingWith("Stage")
                .andShould(lieDirectlyIn(STAGES))
                .check(MAIN);
    }

    // Who may do what to a request.

    @Test
    void only_the_pipeline_mints_permits() {
        noClasses()
                .that(not(equalTo(Pipeline.class)))
                .should()
                .callConstructorWhere(JavaCall.Predicates.target(describe(
                        "that is the constructor of Permit",
                        target -> target.getOwner().isEquivalentTo(Permit.class))))
                .check(MAIN);
    }

    @Test
    void only_authenticate_sets_the_principal() {
        onlyCalledFrom("authenticate", "principal");
    }

    @Test
    void only_risk_sets_the_score() {
        onlyCalledFrom("risk", "riskScore");
    }

    @Test
    void only_ratelimit_sets_the_state_of_limits() {
        onlyCalledFrom("ratelimit", "rateLimitState");
    }

    @Test
    void only_route_leases_a_place_at_an_upstream() {
        onlyCalledFrom("route", "lease");
    }

    @Test
    void only_edge_says_which_route_a_request_is_for() {
        onlyCalledFrom("edge", "matched");
        onlyCalledFrom("edge", "allowedMethods");
    }

    // Everywhere.

    @Test
    void time_is_injected() {
        noClasses()
                .that(not(resideInAPackage(ROOT + "boot..")))
                .should()
                .callMethodWhere(isOneOf(Map.of(
                        "java.lang.System", Set.of("currentTimeMillis"),
                        "java.time.Instant", Set.of("now"),
                        "java.time.LocalDate", Set.of("now"),
                        "java.time.LocalDateTime", Set.of("now"),
                        "java.time.OffsetDateTime", Set.of("now"),
                        "java.time.ZonedDateTime", Set.of("now"),
                        "java.time.InstantSource", Set.of("system"),
                        "java.time.Clock", Set.of("systemUTC", "systemDefaultZone", "system"))))
                .check(MAIN);
    }

    @Test
    void nobody_prints_but_the_decision_log() {
        noClasses()
                .that(not(resideInAPackage(ROOT + "decisionlog..")))
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .orShould()
                .callMethod(Throwable.class, "printStackTrace")
                .check(MAIN);
    }

    @Test
    void everybody_logs_through_one_interface() {
        noClasses()
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "java.util.logging..",
                        "org.apache.commons.logging..",
                        "ch.qos.logback..",
                        "org.apache.logging.."))
                .check(MAIN);
    }

    @Test
    void only_who_makes_the_beans_knows_a_property_of_spring() {
        noClasses()
                .that(not(resideInAPackage(ROOT + "boot..")))
                // The library's constructor wants the environment; nothing is read from it there.
                .and()
                .doNotHaveSimpleName("PermitRouteMapping")
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "org.springframework.boot.context.properties..", "org.springframework.core.env.."))
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("org.springframework.beans.factory.annotation.Value")
                .check(MAIN);
    }

    @Test
    void what_compiles_a_configuration_knows_no_spring() {
        noClasses()
                .that(resideInAPackage(ROOT + "compile.."))
                .should()
                // A size is a value, and no more Spring than a Duration is.
                .dependOnClassesThat(resideInAPackage("org.springframework..")
                        .and(not(resideInAPackage("org.springframework.util.unit"))))
                .check(MAIN);
    }

    @Test
    void only_who_makes_the_beans_and_the_other_port_know_spring_boot() {
        noClasses()
                .that(not(resideInAnyPackage(ROOT + "boot..", ROOT + "management..")))
                // What a server of Spring Boot is customized by.
                .and(not(belongToAnyOf(IngressServerCustomizer.class)))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "org.springframework.boot..",
                        "org.springframework.context..",
                        "org.springframework.beans..",
                        "org.springframework.security.."))
                .check(MAIN);
    }

    @Test
    void a_section_of_the_file_is_a_record_that_its_package_and_those_who_put_it_together_read() {
        classes()
                .that()
                .haveSimpleNameEndingWith("Config")
                .should()
                .beRecords()
                .andShould(onlyBeKnownInTheirPackageAndIn(Set.of("compile", "boot")))
                .check(MAIN);
    }

    @Test
    void a_name_says_what_a_class_is_and_not_that_it_is_one() {
        noClasses()
                .should()
                .haveNameMatching(".*(Util|Utils|Helper|Impl|(?<!Trust|Key)Manager)(\\$.*)?")
                .check(MAIN);
    }

    @Test
    void every_package_says_what_may_be_null() {
        var unmarked = MAIN.stream()
                .map(JavaClass::getPackage)
                .distinct()
                .filter(in -> in.tryGetAnnotationOfType(NullMarked.class).isEmpty())
                .toList();

        assertThat(unmarked).isEmpty();
    }

    private static void allow(String of, List<String> others) {
        var allowed = with(others, of).stream().map(name -> ROOT + name + "..").toArray(String[]::new);
        classes()
                .that(resideInAPackage(ROOT + of + ".."))
                .should()
                .onlyDependOnClassesThat(not(resideInAPackage(ROOT + ".")).or(resideInAnyPackage(allowed)))
                .allowEmptyShould(true)
                .check(MAIN);
    }

    private static List<String> with(List<String> names, String... more) {
        var all = new ArrayList<>(names);
        all.addAll(List.of(more));
        return all;
    }

    private static void onlyCalledFrom(String owner, String setter) {
        noClasses()
                .that(not(resideInAPackage(ROOT + owner + "..")))
                .should()
                .callMethodWhere(JavaCall.Predicates.target(describe(
                        "that is the setter RequestContext." + setter,
                        target -> target.getOwner().isEquivalentTo(RequestContext.class)
                                && target.getName().equals(setter)
                                && !target.getRawParameterTypes().isEmpty())))
                .check(MAIN);
    }

    private static DescribedPredicate<JavaClass> areStages() {
        return resideInAnyPackage(
                STAGES.stream().map(stage -> ROOT + stage + "..").toArray(String[]::new));
    }

    private static DescribedPredicate<JavaClass> areAdapters() {
        var ofStages = STAGES.stream().map(name -> ROOT + name + ".*..").toArray(String[]::new);
        return resideInAnyPackage(ofStages)
                .and(not(resideInAnyPackage(
                        PORTS.stream().map(name -> ROOT + name).toArray(String[]::new))))
                .or(resideInAnyPackage(ROOT + "workload.api..", ROOT + "workload.files.."));
    }

    private static DescribedPredicate<JavaClass> equalTo(Class<?> type) {
        return describe("is " + type.getSimpleName(), candidate -> candidate.isEquivalentTo(type));
    }

    /** @param methods by the class that declares them, or any class assignable to it; all methods if none is named */
    private static DescribedPredicate<JavaMethodCall> isOneOf(Map<String, Set<String>> methods) {
        return describe("that is " + methods, call -> {
            MethodCallTarget target = call.getTarget();
            return methods.entrySet().stream()
                    .anyMatch(method -> target.getOwner().isAssignableTo(method.getKey())
                            && (method.getValue().isEmpty() || method.getValue().contains(target.getName())));
        });
    }

    private static ArchCondition<JavaClass> knowNoPackageAbove() {
        return new ArchCondition<>("know no package that they are in a sub-package of") {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                for (var dependency : item.getDirectDependenciesFromSelf()) {
                    var other = dependency.getTargetClass().getPackageName();
                    var above = other.startsWith(ROOT) && item.getPackageName().startsWith(other + ".");
                    events.add(new SimpleConditionEvent(item, !above, dependency.getDescription()));
                }
            }
        };
    }

    private static ArchCondition<JavaClass> lieDirectlyIn(List<String> packages) {
        return new ArchCondition<>("lie directly in one of " + packages) {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                var own = item.getSimpleName().replace("Stage", "").toLowerCase(Locale.ROOT);
                var lies = packages.contains(own) && item.getPackageName().equals(ROOT + own);
                events.add(new SimpleConditionEvent(item, lies, item.getName()));
            }
        };
    }

    private static ArchCondition<JavaClass> onlyBeKnownInTheirPackageAndIn(Set<String> others) {
        return new ArchCondition<>("only be known in their package and in " + others) {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                for (var dependency : item.getDirectDependenciesToSelf()) {
                    var from = dependency.getOriginClass().getPackageName();
                    // The parts of a package are sub-packages of it.
                    var fine = topOf(from).equals(topOf(item.getPackageName())) || others.contains(topOf(from));
                    events.add(new SimpleConditionEvent(item, fine, dependency.getDescription()));
                }
            }
        };
    }

    private static String topOf(String packageName) {
        var below = packageName.substring(ROOT.length());
        int end = below.indexOf('.');
        return end < 0 ? below : below.substring(0, end);
    }
}
