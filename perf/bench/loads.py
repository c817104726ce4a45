# SPDX-License-Identifier: Apache-2.0
"""What is sent, and what it cost: CPU of the contestant's processes, user and system, without the JIT compiler's threads."""

import dataclasses
import glob
import http.client
import os
import re
import socket
import ssl
import sys
import time

from world import TENANT, run, say

TICKS = os.sysconf("SC_CLK_TCK")

# Requests a second that are about half of what the slowest of the gateways with authentication can do on two cores.
RATE = 5_000

# Of a steady client's answers those of the first half second do not count: the handshakes of its connections are slower than all that
# follows.
CONNECTING_MICROS = 500_000
PATH = f"/v1/tenants/{TENANT}/payments/7"


@dataclasses.dataclass
class Scenario:
    """
    name: as in the results
    expected: the status that every answer must have
    tokens: one of them with each request, in turn; empty for none
    path: # stands for one of as many numbers as paths says, in turn
    upload: bytes of a body that each request has
    tool: wrk for as much as goes, h2load for HTTP/2, paced for HTTP/1.1 at a given rate, resumed for a connection with each request that
        resumes the TLS session of the one before
    """

    name: str
    expected: int
    tokens: list
    path: str = PATH
    paths: int = 1
    upload: int = 0
    tool: str = "wrk"
    fields: str = ""

    def needs(self):
        return {"wrk": "wrk", "resumed": "openssl"}.get(self.tool, "h2load")


def scenarios(world):
    return [
        Scenario("allowed_rs256", 200, world.tokens["RS256"]),
        Scenario("allowed_es256", 200, world.tokens["ES256"]),
        Scenario("first_use_rs256", 200, world.fresh["RS256"]),
        Scenario("first_use_es256", 200, world.fresh["ES256"]),
        Scenario("denied_no_token", 401, []),
        Scenario("denied_expired", 401, world.expired),
        Scenario("denied_signature", 401, world.forged),
        Scenario("rate_limited", 429, world.tokens["RS256"], path=f"/v1/limited/{TENANT}"),
        Scenario("body_10k", 200, world.tokens["RS256"], path=f"/v1/tenants/{TENANT}/payments/bytes/10k"),
        Scenario("body_1m", 200, world.tokens["RS256"], path=f"/v1/tenants/{TENANT}/payments/bytes/1m"),
        Scenario("upload_10k", 200, world.tokens["RS256"], upload=10 * 1024),
        Scenario("upload_1m", 200, world.tokens["RS256"], upload=1024 * 1024),
        Scenario("http2", 200, world.tokens["RS256"], tool="h2load"),
        Scenario("churn", 200, world.tokens["RS256"], fields='wrk.headers["Connection"] = "close"'),
        Scenario("churn_resumed", 200, world.tokens["RS256"], tool="resumed"),
        Scenario("filtered", 200, world.tokens["RS256"], path=f"/v1/filtered/{TENANT}/payments/7"),
        Scenario("identities_100", 200, world.tokens["RS256"], path=f"/v1/identity-#/{TENANT}/payments/7", paths=100),
        Scenario("half_load", 200, world.tokens["RS256"], tool="paced"),
    ]


def await_answer(world, processes, contestant):
    context = ssl.create_default_context(cafile=world.path("ca.pem"))
    token = world.tokens["ES256" if contestant.name.endswith("es256") else "RS256"][0]
    deadline = time.monotonic() + 120
    status = None
    while time.monotonic() < deadline:
        if contestant.process.poll() is not None:
            sys.exit(f"{contestant.name} ended while starting:\n{processes.tail(contestant.name)}")
        try:
            connection = http.client.HTTPSConnection("localhost", contestant.port, context=context, timeout=5)
            connection.request("GET", PATH, headers={"Authorization": "Bearer " + token})
            status = connection.getresponse().status
            if status == contestant.answers:
                return
        except OSError:
            pass
        time.sleep(0.25)
    sys.exit(f"{contestant.name} does not answer {contestant.answers} (last: {status}):\n{processes.tail(contestant.name)}")


def cpu_seconds(pids):
    user = system = 0
    for pid in pids:
        for stat in glob.glob(f"/proc/{pid}/task/*/stat"):
            try:
                text = open(stat).read()
            except OSError:
                continue
            name = text[text.index("(") + 1:text.rindex(")")]
            if name.startswith(("C1 Compiler", "C2 Compiler")):
                continue
            fields = text[text.rindex(")") + 2:].split()
            user += int(fields[11])
            system += int(fields[12])
    return user / TICKS, system / TICKS


def _is_steady(costs):
    last = costs[-3:]
    return len(last) == 3 and max(last) <= 1.05 * min(last)


def p99(ordered):
    return ordered[len(ordered) * 99 // 100]


def resident_mib(pids):
    return sum(int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) for pid in pids) // 1024


def script(world, scenario):
    # A request with a large body is held whole, once for each token.
    sent = scenario.tokens[:20] if scenario.upload > 100_000 else scenario.tokens
    tokens = world.write(scenario.name + ".tokens", "\n".join(sent))
    return world.write(scenario.name + ".lua", f"""
local tokens = {{}}
for line in io.lines("{tokens}") do tokens[#tokens + 1] = line end
local requests, next = {{}}, 0
init = function(args)
  wrk.headers["Host"] = "localhost"
  {scenario.fields}
  local method, body = "GET", nil
  if {scenario.upload} > 0 then method, body = "POST", string.rep("x", {scenario.upload}) end
  local path = function(i) return (string.gsub("{scenario.path}", "#", i % {scenario.paths})) end
  if #tokens == 0 then requests[1] = wrk.format(method, path(1), nil, body) end
  for i, token in ipairs(tokens) do
    wrk.headers["Authorization"] = "Bearer " .. token
    requests[i] = wrk.format(method, path(i), nil, body)
  end
  -- Where the last load left off, so that a token that is to be new is not one of a moment ago.
  next = tonumber(args[1] or "0") % #requests
end
request = function() next = next % #requests + 1; return requests[next] end
wrong = 0
response = function(status) if status ~= {scenario.expected} then wrong = wrong + 1 end end
local threads = {{}}
setup = function(thread) threads[#threads + 1] = thread end
done = function(summary, latency)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + thread:get("wrong") end
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, bad + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout, summary.duration, latency:percentile(50), latency:percentile(99)))
end
""")


class Load:
    def __init__(self, world, scenario):
        self.world = world
        self.scenario = scenario
        self.sent = 0
        # Milliseconds of each answer of the last paced load, in order of length.
        self.took = []
        if scenario.tool == "wrk":
            self.script = script(world, scenario)

    def warm(self, port, requests, connections, pids=()):
        """Until that many requests were answered, a JIT compiler counts calls, and until a request costs those processes what it did
        the two seconds before, give or take 5 %. A minute and a half at most."""
        deadline = time.monotonic() + 90
        if self.scenario.tool == "resumed" or self.scenario.name.endswith("_1m"):
            # Each of them is worth as many.
            requests //= 20
        costs = []
        while time.monotonic() < deadline and (requests > 0 or pids and not _is_steady(costs)):
            before = sum(cpu_seconds(pids))
            answered = self.run(port, 1, connections)[0]
            costs.append((sum(cpu_seconds(pids)) - before) / max(answered, 1))
            requests -= answered

    def run(self, port, seconds, connections):
        """Returns requests, wrong answers, seconds, and the median and 99th percentile in milliseconds."""
        if self.scenario.tool == "h2load":
            return self._h2load(port, seconds, connections)
        if self.scenario.tool == "paced":
            return self.paced(port, seconds, RATE)
        if self.scenario.tool == "resumed":
            return self._resumed(port, seconds)
        output = run("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", self.script,
                     f"https://127.0.0.1:{port}{self.scenario.path}", "--", str(self.sent)).decode()
        requests, wrong, micros, p50, p99 = map(int, re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", output).groups())
        self.sent += requests
        return requests, wrong, micros / 1e6, p50 / 1000, p99 / 1000

    def paced(self, port, seconds, rate):
        """A given number of requests a second over 16 connections of HTTP/1.1, evenly spread, however long the answers take to come."""
        log = self.world.path("paced.log")
        if os.path.exists(log):
            os.remove(log)
        # Connections that begin together would ask together ever after: 16 requests at a time, that wait for each other.
        run("h2load", "--h1", "-n", str(rate * seconds), "-c", "16", "-t", "1", "--rps", str(rate // 16), "-r", "1", "--rate-period",
            "17ms", "--log-file", log, "-H", ":authority: localhost", "-H", "authorization: Bearer " + self.scenario.tokens[0],
            f"https://127.0.0.1:{port}{self.scenario.path}")
        with open(log) as lines:
            answers = [tuple(map(int, line.split())) for line in lines]
        counted_from = min(began for began, _, _ in answers) + CONNECTING_MICROS
        self.took = sorted(micros / 1000 for began, _, micros in answers if began >= counted_from)
        wrong = sum(1 for _, status, _ in answers if status != self.scenario.expected)
        return len(answers), wrong, seconds, self.took[len(self.took) // 2], p99(self.took)

    def _resumed(self, port, seconds):
        context = ssl.create_default_context(cafile=self.world.path("ca.pem"))
        session, took, wrong, resumed = None, [], 0, 0
        expected = f"HTTP/1.1 {self.scenario.expected} ".encode()
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            token = self.scenario.tokens[len(took) % len(self.scenario.tokens)]
            start = time.monotonic()
            plain = socket.create_connection(("127.0.0.1", port))
            # The end of the handshake and the request are two writes; the second is not to wait for an acknowledgement.
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as tls:
                tls.sendall(f"GET {self.scenario.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
                            "Connection: close\r\n\r\n".encode())
                answer = b""
                while part := tls.recv(65536):
                    answer += part
                session, resumed = tls.session, resumed + tls.session_reused
            took.append((time.monotonic() - start) * 1000)
            wrong += not answer.startswith(expected)
        say(f"{resumed} of {len(took)} connections resumed a session")
        took.sort()
        return len(took), wrong, time.monotonic() - began, took[len(took) // 2], took[len(took) * 99 // 100]

    def _h2load(self, port, seconds, connections):
        # One token: h2load sends the same fields each time.
        output = run("h2load", "--duration", str(seconds), "-c", str(max(1, connections // 8)), "-m", "8", "-t", "1",
                     "-H", ":authority: localhost", "-H", "authorization: Bearer " + self.scenario.tokens[0],
                     f"https://127.0.0.1:{port}{self.scenario.path}").decode()
        # Not done less 2xx: at the end there are heads that have come without their bodies.
        other = re.search(r"status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", output)
        done, failed = map(int, re.search(r"requests: \d+ total, \d+ started, (\d+) done, \d+ succeeded, (\d+) failed", output).groups())
        mean = re.search(r"time for request:\s+\S+\s+\S+\s+(\S+)", output).group(1)
        scale = {"us": 1e-3, "ms": 1.0, "s": 1e3}
        unit = re.search(r"[a-z]+$", mean).group(0)
        return done, sum(map(int, other.groups())) + failed, seconds, float(mean.removesuffix(unit)) * scale[unit], 0.0
