# SPDX-License-Identifier: Apache-2.0
"""From the command to the first answer: the gateway as it is, with an AOT cache (JEP 514), and stock Spring Cloud Gateway."""

import http.client
import os
import ssl
import statistics
import time

import contestants as peers
import loads
from world import free_port, say


def measure(world, processes, upstream_port, jwks_uri, rounds):
    made = peers.jar("gateway-app/target/sallyport.jar")
    # A nested jar has no place in a cache: one that lies beside its libraries has.
    unpacked, cache = os.path.join(peers.unpacked(world), "sallyport.jar"), world.path("sallyport.aot")

    def sallyport(name, *options):
        port = free_port()
        configuration = world.configuration("sallyport.yaml", name + ".yaml", port=port, name=name, upstream_port=upstream_port,
                                            token_cache=10_000, more_routes="")
        command = [peers.java(), *peers.JVM, *options, "run", "--config", configuration]
        return _until_answered(world, port, lambda: processes.start(name, command))

    def stock():
        started = []
        port = free_port()

        def start():
            started.append(peers.stock(world, processes, upstream_port, jwks_uri, port))
            return started[0].process
        return _until_answered(world, port, start)

    say("start: training the AOT cache")
    sallyport("start-training", f"-XX:AOTCacheOutput={cache}", "-jar", unpacked)
    taken = {"sallyport": [], "sallyport-aot-cache": [], "stock-gateway": []}
    for number in range(rounds):
        say(f"start: round {number + 1} of {rounds}")
        taken["sallyport"].append(sallyport("start-plain", "-jar", made))
        taken["sallyport-aot-cache"].append(sallyport("start-cached", f"-XX:AOTCache={cache}", "-jar", unpacked))
        taken["stock-gateway"].append(stock())
    return {name: {"median": round(statistics.median(seconds), 2), "min": round(min(seconds), 2), "max": round(max(seconds), 2)}
            for name, seconds in taken.items()}


def _until_answered(world, port, start):
    """Seconds until the first 200, after which it is ended; a training run writes its cache then."""
    context = ssl.create_default_context(cafile=world.path("ca.pem"))
    began = time.monotonic()
    process = start()
    while time.monotonic() - began < 120:
        try:
            connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=5)
            connection.request("GET", loads.PATH, headers={"Authorization": "Bearer " + world.tokens["RS256"][0]})
            if connection.getresponse().status == 200:
                took = time.monotonic() - began
                process.terminate()
                process.wait(60)
                return took
        except OSError:
            pass
        time.sleep(0.01)
    raise SystemExit("no answer within two minutes of the start")
