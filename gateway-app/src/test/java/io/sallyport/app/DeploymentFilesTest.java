// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sallyport.compile.ConfigurationCheck;
import io.sallyport.config.Setting;
import io.sallyport.docs.GeneratedPage;
import io.sallyport.wire.listener.ListenerConfig;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.springframework.boot.convert.DurationStyle;
import picocli.CommandLine;

/** That {@code k8s/}, {@code docker-compose.yml} and {@code config/} agree with each other and with the gateway that they run. */
class DeploymentFilesTest {
    private static final Path TOP = GeneratedPage.top();
    private static final Path KUBERNETES_CONFIGURATION = TOP.resolve("k8s/base/gateway.yaml");

    private final Object gateway = at(read("k8s/base/gateway.yaml"), "sallyport");
    private final Object deployment = read("k8s/base/deployment.yaml");
    private final Object pod = at(deployment, "spec", "template", "spec");
    private final Object container = only(at(pod, "containers"));
    private final Object compose = at(read("docker-compose.yml"), "services");

    @Test
    void what_the_pods_run_with_is_a_valid_configuration() {
        assertThat(ConfigurationCheck.check(KUBERNETES_CONFIGURATION)).isEmpty();
    }

    @Test
    void the_pod_opens_the_ports_of_its_configuration_and_is_probed_on_the_management_port() {
        assertThat(portNamed("https")).isEqualTo(at(gateway, "listener", "port"));
        assertThat(portNamed("management")).isEqualTo(at(gateway, "management", "port"));
        for (var probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
            assertThat(at(container, probe, "httpGet", "port")).as(probe).isEqualTo("management");
            assertThat(at(container, probe, "httpGet", "scheme")).as(probe).isEqualTo("HTTPS");
        }
        // The kubelet asks at the pod's address.
        assertThat(at(gateway, "management", "address")).isEqualTo("0.0.0.0");
    }

    @Test
    void every_file_of_the_pods_configuration_lies_in_a_volume() {
        var volumes = list(at(container, "volumeMounts")).stream()
                .map(mount -> Path.of((String) at(mount, "mountPath")))
                .toList();
        var files = new ArrayList<Path>();
        for (var section : List.of("listener", "management", "identity", "stages", "decision-log")) {
            collectFiles(at(gateway, section), files);
        }

        assertThat(files).isNotEmpty().allMatch(file -> volumes.stream().anyMatch(file::startsWith));
    }

    @Test
    void the_pod_meets_the_restricted_standard_and_has_no_token() {
        assertThat(at(pod, "securityContext", "runAsNonRoot")).isEqualTo(true);
        assertThat(at(pod, "securityContext", "seccompProfile", "type")).isEqualTo("RuntimeDefault");
        assertThat(at(container, "securityContext", "allowPrivilegeEscalation")).isEqualTo(false);
        assertThat(at(container, "securityContext", "readOnlyRootFilesystem")).isEqualTo(true);
        assertThat(at(container, "securityContext", "capabilities", "drop")).isEqualTo(List.of("ALL"));
        assertThat(at(pod, "automountServiceAccountToken")).isEqualTo(false);
    }

    @Test
    void image_and_pod_run_as_the_same_user() throws IOException {
        var dockerfile = Files.readString(TOP.resolve("gateway-app/Dockerfile"));
        var user = at(pod, "securityContext", "runAsUser");

        assertThat(dockerfile).contains("USER %s:%s\n".formatted(user, at(pod, "securityContext", "runAsGroup")));
        assertThat(dockerfile).contains("install -d -o %s -g %s ".formatted(user, user));
    }

    @Test
    void a_pod_has_longer_to_stop_than_the_gateway_takes() {
        var pause = Duration.ofSeconds((int) at(container, "lifecycle", "preStop", "sleep", "seconds"));
        var grace = duration(at(gateway, "listener", "shutdown-grace"));
        var killed = Duration.ofSeconds((int) at(pod, "terminationGracePeriodSeconds"));

        assertThat(killed).isGreaterThan(pause.plus(grace));
    }

    @Test
    void the_container_of_compose_has_longer_to_stop_than_the_gateway_takes_by_default() {
        var grace = Arrays.stream(ListenerConfig.class.getRecordComponents())
                .filter(component -> component.getName().equals("shutdownGrace"))
                .map(component ->
                        requireNonNull(component.getAnnotation(Setting.class)).byDefault())
                .findAny()
                .orElseThrow();

        assertThat(duration(at(compose, "gateway", "stop_grace_period"))).isGreaterThan(duration(grace));
    }

    @Test
    void fluent_bit_reads_the_files_that_the_configurations_write() {
        var pattern = (String) at(read("config/fluent-bit/fluent-bit.yaml"), "env", "decisions");
        var reads = FileSystems.getDefault().getPathMatcher("glob:" + pattern);
        var example = at(read("config/gateway.yaml"), "sallyport", "decision-log", "file", "path");
        var demo = new CommandLine(new DemoPartsCommand())
                .getCommandSpec()
                .findOption("--decision-log")
                .defaultValue();

        assertThat(reads.matches(Path.of((String) example))).isTrue();
        assertThat(reads.matches(Path.of(demo))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"base", "overlays/staging", "overlays/production"})
    void kustomize_renders_it_from_a_clean_clone(String folder) throws Exception {
        assumeTrue(isInstalled("kustomize"), "kustomize is not installed");
        var rendered = Files.createTempFile("kustomize", ".yaml");
        try {
            var process = new ProcessBuilder(
                            "kustomize",
                            "build",
                            TOP.resolve("k8s").resolve(folder).toString())
                    .redirectOutput(rendered.toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();

            var objects = documents(Files.readString(rendered));
            assertThat(at(ofKind("ConfigMap", objects), "data", "gateway.yaml"))
                    .isEqualTo(Files.readString(KUBERNETES_CONFIGURATION));
            // A label of ours added to this selector would cut the gateway off from name resolution.
            assertThat(objects.stream().map(String::valueOf))
                    .anyMatch(object -> object.contains("podSelector={matchLabels={k8s-app=kube-dns}}"));
        } finally {
            Files.delete(rendered);
        }
    }

    private Object portNamed(String name) {
        return list(at(container, "ports")).stream()
                .filter(port -> at(port, "name").equals(name))
                .map(port -> at(port, "containerPort"))
                .findAny()
                .orElseThrow();
    }

    private static void collectFiles(Object node, List<Path> files) {
        switch (node) {
            case Map<?, ?> map -> map.values().forEach(value -> collectFiles(value, files));
            case String text when text.startsWith("/") -> files.add(Path.of(text));
            case String text when text.startsWith("unix:/") -> files.add(Path.of(text.substring("unix:".length())));
            default -> {}
        }
    }

    private static Duration duration(Object text) {
        return DurationStyle.SIMPLE.parse((String) text);
    }

    private static Object ofKind(String kind, List<Object> objects) {
        return objects.stream()
                .filter(object -> at(object, "kind").equals(kind))
                .findAny()
                .orElseThrow();
    }

    private static Object read(String fromTop) {
        try {
            return only(documents(Files.readString(TOP.resolve(fromTop))));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static List<Object> documents(String yaml) {
        var documents = new ArrayList<Object>();
        new Load(LoadSettings.builder().build()).loadAllFromString(yaml).forEach(documents::add);
        return documents;
    }

    private static Object at(Object node, String... keys) {
        var found = node;
        for (var key : keys) {
            found = requireNonNull(((Map<?, ?>) found).get(key), key);
        }
        return found;
    }

    private static Collection<?> list(Object node) {
        return (Collection<?>) node;
    }

    private static Object only(Object node) {
        assertThat(list(node)).hasSize(1);
        return list(node).iterator().next();
    }

    private static boolean isInstalled(String command) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
    }
}
