// SPDX-License-Identifier: Apache-2.0
package io.sallyport.forward.upstream;

import io.sallyport.forward.TestCa;
import io.sallyport.forward.TestCa.Svid;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * A real nginx as an upstream over TLS, on a free port of 127.0.0.1. Answers each request with what it knows of it. Where nginx is
 * not installed, the test that wants one is skipped.
 */
final class Nginx implements AutoCloseable {
    private static final List<Path> PLACES = List.of(Path.of("/usr/sbin/nginx"), Path.of("/usr/bin/nginx"));
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final String CONFIGURATION = """
            daemon off;
            master_process off;
            pid FOLDER/nginx.pid;
            error_log FOLDER/error.log;
            events { worker_connections 64; }
            http {
              access_log FOLDER/access.log;
              client_body_temp_path FOLDER/body;
              proxy_temp_path FOLDER/proxy;
              fastcgi_temp_path FOLDER/fastcgi;
              uwsgi_temp_path FOLDER/uwsgi;
              scgi_temp_path FOLDER/scgi;
              server {
                listen 127.0.0.1:PORT ssl http2;
                ssl_certificate FOLDER/server.pem;
                ssl_certificate_key FOLDER/server.key;
                ssl_client_certificate FOLDER/clients.pem;
                ssl_verify_client optional_no_ca;
                location / { return 200 "sni=$ssl_server_name client=$ssl_client_s_dn connection=$connection"; }
              }
            }
            """;

    private final Path folder;
    private final int port;
    private final Process process;

    private Nginx(Path folder, int port, Process process) {
        this.folder = folder;
        this.port = port;
        this.process = process;
    }

    /**
     * Starts one.
     *
     * @param folder its own
     * @param certificate what it shows
     * @param clients whose certificates it asks for
     */
    static Nginx start(Path folder, Svid certificate, X509Certificate clients) throws Exception {
        var program = PLACES.stream().filter(Files::isExecutable).findFirst();
        Assumptions.assumeTrue(program.isPresent(), "nginx is not installed (apt-get install nginx)");
        Files.createDirectories(folder);
        int port = freePort();
        Files.writeString(
                folder.resolve("nginx.conf"),
                CONFIGURATION.replace("FOLDER", folder.toString()).replace("PORT", Integer.toString(port)));
        Files.writeString(folder.resolve("clients.pem"), TestCa.pemOf(List.of(clients)));
        certificate.writeTo(folder.resolve("server.pem"), folder.resolve("server.key"));
        return new Nginx(folder, port, run(program.orElseThrow(), folder, port));
    }

    private static Process run(Path program, Path folder, int port) throws Exception {
        var process = new ProcessBuilder(
                        program.toString(),
                        "-p",
                        folder.toString(),
                        "-e",
                        folder.resolve("error.log").toString(),
                        "-c",
                        folder.resolve("nginx.conf").toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("output.log").toFile())
                .start();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return process;
            } catch (IOException e) {
                if (!process.isAlive() || System.nanoTime() > deadline) {
                    throw new AssertionError("nginx did not start: "
                            + Files.readString(folder.resolve("output.log"))
                            + Files.readString(folder.resolve("error.log")));
                }
                Thread.sleep(20);
            }
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    int port() {
        return port;
    }

    /** A line for each request of which it got a byte. */
    List<String> requests() throws IOException {
        return Files.readAllLines(folder.resolve("access.log"));
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.destroyForcibly();
    }
}
