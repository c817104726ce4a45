// SPDX-License-Identifier: Apache-2.0
package io.sallyport.app.demo;

import com.nimbusds.jose.JWSAlgorithm;
import io.spiffe.spiffeid.SpiffeId;
import io.spiffe.spiffeid.TrustDomain;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import reactor.netty.resources.LoopResources;

/**
 * All that the gateway of the demo meets, started together, and the configuration file that introduces it to them. The gateway
 * itself is not among them.
 */
public final class DemoParts implements AutoCloseable {
    public static final TrustDomain TRUST_DOMAIN = TrustDomain.parse("demo.sallyport.test");
    public static final SpiffeId GATEWAY_ID = workload("edge", "gateway");
    public static final SpiffeId PAYMENTS_ID = workload("payments", "payments");
    public static final SpiffeId ORDERS_ID = workload("orders", "orders");
    public static final SpiffeId LEDGER_ID = workload("ledger", "ledger");
    public static final SpiffeId IMPOSTOR_ID = workload("marketing", "newsletter");

    /** What tokens for the demo's API are for. */
    public static final String AUDIENCE = "https://api.demo.sallyport.test";

    /** What tokens for the management port are for. */
    public static final String MANAGEMENT_AUDIENCE = "https://management.demo.sallyport.test";

    /** Another API behind the same issuer, which the gateway does not serve. */
    public static final String OTHER_AUDIENCE = "https://reports.demo.sallyport.test";

    /** Of tenant acme, on a device that complies. */
    public static final String ACME = "acme-billing";

    /** Of tenant globex. */
    public static final String GLOBEX = "globex-billing";

    /** Of tenant acme, on a device that does not comply, signed in with a password. */
    public static final String ACME_LAPTOP = "acme-laptop";

    /** Looks after the gateway. */
    public static final String OPERATOR = "operator";

    private static final Duration SVID_LIFETIME = Duration.ofMinutes(5);
    private static final Duration SERVER_LIFETIME = Duration.ofDays(1);
    private static final Set<String> API_SCOPES = Set.of("payments:read", "orders:read");
    private static final List<DemoIssuer.Client> CLIENTS = List.of(
            new DemoIssuer.Client(ACME, "acme", API_SCOPES, "phr", "compliant", JWSAlgorithm.ES256),
            new DemoIssuer.Client(GLOBEX, "globex", API_SCOPES, "phr", "compliant", JWSAlgorithm.RS256),
            new DemoIssuer.Client(ACME_LAPTOP, "acme", API_SCOPES, "pwd", "jailbroken", JWSAlgorithm.ES256),
            new DemoIssuer.Client(
                    OPERATOR,
                    "acme",
                    Set.of("sallyport:read", "sallyport:write"),
                    "phr",
                    "compliant",
                    JWSAlgorithm.ES256));

    private final Path directory;
    private final Layout layout;
    private final Deque<AutoCloseable> running = new ArrayDeque<>();
    private final DemoCertificateAuthority servers;
    private final DemoCertificateAuthority workloads;
    private final Identity identity;
    private final DemoIssuer issuer;
    private final DemoUpstream payments;
    private final DemoUpstream orders;
    private final DemoUpstream impostor;
    private final Path configuration;

    /**
     * Where everything is to be found.
     *
     * @param host the name under which clients reach the gateway and the issuer, and the gateway reaches the others
     * @param address what all of them bind to
     * @param upstreamPort the first of three, one after the other; 0 for any
     * @param decisionLog where the gateway is to write its decisions; as it stands in the configuration file
     * @param denyList where the gateway is to keep what was revoked; likewise
     * @param registered whether the gateway's identity is handed out from the start, or only from the first rotation on
     */
    public record Layout(
            String host,
            String address,
            int gatewayPort,
            int managementPort,
            int issuerPort,
            int upstreamPort,
            String decisionLog,
            String denyList,
            boolean registered) {

        /** Everything on the loopback address, on ports that were free a moment ago, and in the one directory. */
        public static Layout onLoopback(int gatewayPort) {
            return new Layout(
                    "localhost",
                    InetAddress.getLoopbackAddress().getHostAddress(),
                    gatewayPort,
                    FreePort.find(),
                    FreePort.find(),
                    0,
                    "decisions.log",
                    "deny-list.journal",
                    true);
        }

        /** The same, but the gateway is a workload without a registration until {@link DemoParts#rotateSvid()}. */
        public Layout unregistered() {
            return new Layout(
                    host, address, gatewayPort, managementPort, issuerPort, upstreamPort, decisionLog, denyList, false);
        }

        private int upstreamPort(int index) {
            return upstreamPort == 0 ? 0 : upstreamPort + index;
        }
    }

    private DemoParts(Path directory, Layout layout, InstantSource time) throws IOException {
        this.directory = directory;
        this.layout = layout;
        var loops = closing(LoopResources.create("demo", 1, 2, true), LoopResources::dispose);
        this.servers = DemoCertificateAuthority.ofServers("servers of the demo", time);
        this.workloads = DemoCertificateAuthority.ofTrustDomain(TRUST_DOMAIN, time);
        Files.writeString(directory.resolve("ca.pem"), Credentials.pem(List.of(servers.root())));
        renewServerCertificate();

        this.identity = closing(startIdentity(layout.registered()), Identity::close);
        this.issuer = closing(
                DemoIssuer.start(
                        new DemoIssuer.Endpoint(layout.host(), layout.address(), layout.issuerPort(), loops),
                        DemoTls.server(servers.server(List.of(layout.host()), SERVER_LIFETIME)),
                        CLIENTS,
                        List.of(AUDIENCE, MANAGEMENT_AUDIENCE, OTHER_AUDIENCE),
                        time),
                DemoIssuer::close);
        this.payments = startUpstream("payments", PAYMENTS_ID, layout.upstreamPort(0), layout, loops);
        this.orders = startUpstream("orders", ORDERS_ID, layout.upstreamPort(1), layout, loops);
        this.impostor = startUpstream("impostor", IMPOSTOR_ID, layout.upstreamPort(2), layout, loops);
        this.configuration = directory.resolve("gateway.yaml");
        Files.writeString(configuration, configurationText());
    }

    /**
     * Starts everything.
     *
     * @param directory for keys, the socket and the configuration; nobody else may have access to it
     */
    public static DemoParts start(Path directory, Layout layout, InstantSource time) throws IOException {
        return new DemoParts(directory, layout, time);
    }

    private DemoUpstream startUpstream(String name, SpiffeId id, int port, Layout layout, LoopResources loops) {
        return closing(
                DemoUpstream.start(
                        name, id, new DemoUpstream.Endpoint(layout.address(), port, loops), workloads, GATEWAY_ID),
                DemoUpstream::close);
    }

    private Identity startIdentity(boolean registered) throws IOException {
        return DemoWorkloadApi.isSupported()
                ? new ServedIdentity(
                        registered
                                ? DemoWorkloadApi.start(directory, workloads, GATEWAY_ID, SVID_LIFETIME)
                                : DemoWorkloadApi.startUnregistered(directory, workloads, GATEWAY_ID, SVID_LIFETIME))
                : new FileIdentity(directory, workloads);
    }

    /** The file that the gateway is to be started with. */
    public Path configuration() {
        return configuration;
    }

    public Path directory() {
        return directory;
    }

    /** Where clients reach the gateway, once it runs. */
    public URI gateway() {
        return URI.create("https://%s:%d".formatted(layout.host(), layout.gatewayPort()));
    }

    /** Where operators reach the gateway, once it runs. */
    public URI management() {
        return URI.create("https://%s:%d".formatted(layout.host(), layout.managementPort()));
    }

    /** Where the gateway writes what it has decided. */
    public Path decisionLog() {
        return directory.resolve(layout.decisionLog());
    }

    /** The root that clients have to trust for the gateway and the issuer; {@code ca.pem} is the same. */
    public X509Certificate root() {
        return servers.root();
    }

    public DemoIssuer issuer() {
        return issuer;
    }

    public DemoUpstream payments() {
        return payments;
    }

    public DemoUpstream orders() {
        return orders;
    }

    /** Listens where the ledger should be, with an X509-SVID of the same trust domain that is not the ledger's. */
    public DemoUpstream impostor() {
        return impostor;
    }

    /** Where the gateway's SVID comes from, for a human. */
    public String identitySource() {
        return identity.description();
    }

    /** An X509-SVID of the demo's trust domain, for somebody who calls the gateway. */
    public Credentials svid(SpiffeId id) {
        return workloads.svid(id, SVID_LIFETIME);
    }

    /**
     * The Workload API that the gateway asks.
     *
     * @throws IllegalStateException on a platform where the demo has none
     */
    public DemoWorkloadApi workloadApi() {
        return switch (identity) {
            case ServedIdentity(var api) -> api;
            case FileIdentity _ -> throw new IllegalStateException("the demo's identity comes from files here");
        };
    }

    /** An X509-SVID of the demo's trust domain, for as long as that. */
    public Credentials svid(SpiffeId id, Duration lifetime) {
        return workloads.svid(id, lifetime);
    }

    /** The root of the trust domain, by which workloads know each other. */
    public X509Certificate workloadRoot() {
        return workloads.root();
    }

    /** Puts a new certificate with a new key where the gateway's two ports have theirs. */
    public Credentials renewServerCertificate() throws IOException {
        var renewed = servers.server(List.of(layout.host(), "api.demo.localhost"), SERVER_LIFETIME);
        renewed.writeTo(directory.resolve("gateway.pem"), directory.resolve("gateway-key.pem"));
        return renewed;
    }

    /** Gives the gateway a new X509-SVID with a new key. */
    public Credentials rotateSvid() throws IOException {
        return identity.rotate();
    }

    @Override
    public void close() {
        while (!running.isEmpty()) {
            try {
                running.pop().close();
            } catch (Exception e) {
                // The others are to be stopped all the same, and the process ends soon.
            }
        }
    }

    private <T> T closing(T part, Closing<T> close) {
        running.push(() -> close.close(part));
        return part;
    }

    private String configurationText() throws IOException {
        var values = new LinkedHashMap<String, String>();
        values.put("address", layout.address());
        values.put("port", String.valueOf(layout.gatewayPort()));
        values.put("management-port", String.valueOf(layout.managementPort()));
        values.put("management-audience", MANAGEMENT_AUDIENCE);
        values.put("identity", identity.setting());
        values.put("issuer", issuer.issuer().toString());
        values.put("audience", AUDIENCE);
        values.put("host", layout.host());
        values.put("decision-log", layout.decisionLog());
        values.put("deny-list", layout.denyList());
        values.put("payments-port", String.valueOf(payments.port()));
        values.put("payments-id", PAYMENTS_ID.toString());
        values.put("orders-port", String.valueOf(orders.port()));
        values.put("orders-id", ORDERS_ID.toString());
        values.put("impostor-port", String.valueOf(impostor.port()));
        values.put("ledger-id", LEDGER_ID.toString());
        return fill(template(), values);
    }

    private static String fill(String template, Map<String, String> values) {
        var filled = template;
        for (var value : values.entrySet()) {
            filled = filled.replace("${" + value.getKey() + "}", value.getValue());
        }
        return filled;
    }

    private static String template() throws IOException {
        try (@Nullable InputStream stream = DemoParts.class.getResourceAsStream("gateway.yaml")) {
            if (stream == null) {
                throw new IllegalStateException("gateway.yaml is missing beside DemoParts.class");
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static SpiffeId workload(String namespace, String account) {
        return TRUST_DOMAIN.newSpiffeId("ns", namespace, "sa", account);
    }

    @FunctionalInterface
    private interface Closing<T> {
        void close(T part) throws Exception;
    }

    /** How the gateway gets its X509-SVID. */
    private sealed interface Identity {
        /** What stands under {@code identity} in the configuration. */
        String setting();

        String description();

        Credentials rotate() throws IOException;

        void close();
    }

    private record ServedIdentity(DemoWorkloadApi api) implements Identity {
        @Override
        public String setting() {
            return "workload-api: " + api.address();
        }

        @Override
        public String description() {
            return api.address().toString();
        }

        @Override
        public Credentials rotate() {
            return api.rotate();
        }

        @Override
        public void close() {
            api.close();
        }
    }

    /** For platforms on which the Workload API cannot be called: java-spiffe has its Unix sockets from epoll. */
    private record FileIdentity(Path directory, DemoCertificateAuthority authority) implements Identity {
        FileIdentity {
            try {
                Files.writeString(directory.resolve("bundle.pem"), Credentials.pem(List.of(authority.root())));
                write(directory, authority.svid(GATEWAY_ID, SERVER_LIFETIME));
            } catch (IOException e) {
                throw new IllegalStateException("cannot write to " + directory, e);
            }
        }

        @Override
        public String setting() {
            return "files: { svid: svid.pem, key: svid-key.pem, bundle: bundle.pem }";
        }

        @Override
        public String description() {
            return "PEM files (this platform has no epoll, and so no Workload API client)";
        }

        @Override
        public Credentials rotate() throws IOException {
            var renewed = authority.svid(GATEWAY_ID, SERVER_LIFETIME);
            write(directory, renewed);
            return renewed;
        }

        @Override
        public void close() {}

        private static void write(Path directory, Credentials svid) throws IOException {
            var chain = directory.resolve("svid.pem.new");
            var key = directory.resolve("svid-key.pem.new");
            svid.writeTo(chain, key);
            Files.move(key, directory.resolve("svid-key.pem"), StandardCopyOption.ATOMIC_MOVE);
            Files.move(chain, directory.resolve("svid.pem"), StandardCopyOption.ATOMIC_MOVE);
        }
    }
}
