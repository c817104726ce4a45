# SPDX-License-Identifier: Apache-2.0
"""What a good client notices, at a steady pace, while something else goes on: a flood of forged tokens, a reload of 10,000 routes.

The 99th percentiles that are compared are of all rounds together. In one round some 120 requests are slower than it, and one collection
or one reload decides about 20 of them: such figures of the same gateway are up to three times each other.

Good client and flood are warmed as everything is that is measured; a first flood, of a gateway that has not met a forged token before, is
measured apart. Reloads are not: who reloads once an hour has only first ones. They come one to a window, and apart from that every 2.5 s, which
nobody does, but which shows what a reload costs the requests beside it.

The files are written before, so that what the harness does while the client is timed is a rename. (To read, change and write them in
between, to a name that nobody watches, made no difference to the client: 1.7 and 1.9 ms where it was 1.9 ms alone.)
"""

import os
import re
import subprocess
import threading
import time

import loads
from world import say

PACE = 1_000
SECONDS = 12
PAUSE = 2.5
CONNECTIONS = 16
WARMUP = 60_000


def measure(world, gateway, peer, known, rounds):
    """Returns for each disturbance the 99th percentile of all rounds and those of each, in milliseconds, and what was lost. The peer,
    if there is one, is only flooded."""
    good = loads.Load(world, next(each for each in known if each.name == "half_load"))
    forged = loads.Load(world, next(each for each in known if each.name == "denied_signature"))
    files = _files(world, gateway, rounds * (int(SECONDS / PAUSE) + 2))

    def flood(whom):
        # One connection: as fast as it is refused, and no faster.
        return lambda until: forged.run(whom.port, int(until - time.monotonic()), 1)

    def once(until):
        time.sleep(SECONDS / 2)
        _replace(world, gateway, files)

    def again_and_again(until):
        while time.monotonic() < until:
            _replace(world, gateway, files)
            time.sleep(PAUSE)

    windows = [("alone", gateway, None), ("flood", gateway, flood(gateway)), ("reload", gateway, once), ("reloads", gateway, again_and_again)]
    if peer:
        windows += [(f"{peer.name} alone", peer, None), (f"{peer.name} flood", peer, flood(peer))]
    flooded = [each for each in (gateway, peer) if each]
    for each in flooded:
        good.warm(each.port, WARMUP, CONNECTIONS, each.pids())
    before = _reloads(world, gateway)
    first, lost = _window(good, gateway, flood(gateway))
    wrong = {"first flood": lost}
    for each in flooded:
        forged.warm(each.port, WARMUP, CONNECTIONS, each.pids())
    took, taken = {}, {}
    for number in range(rounds):
        for name, whom, disturbance in windows:
            say(f"disturbed: round {number + 1} of {rounds}, {name}")
            answers, lost = _window(good, whom, disturbance)
            took.setdefault(name, []).extend(answers)
            taken.setdefault(name, []).append(loads.p99(answers))
            wrong[name] = wrong.get(name, 0) + lost
    return {"pace_per_second": PACE, "seconds": SECONDS, "p99_ms": {name: loads.p99(sorted(each)) for name, each in took.items()},
            "p99_ms_of_rounds": taken, "p99_ms_of_first_flood": loads.p99(first), "wrong": wrong,
            "reloads": _reloads(world, gateway) - before, "forged_sent": forged.sent}


def _window(good, whom, disturbance):
    """How long each answer took, and how many were wrong."""
    until = time.monotonic() + SECONDS
    other = threading.Thread(target=disturbance, args=(until,)) if disturbance else None
    if other:
        other.start()
    _, lost, _, _, _ = good.paced(whom.port, SECONDS - 1, PACE)
    if other:
        other.join()
    return good.took, lost


def _files(world, gateway, count):
    """What the configuration will say, one after the other: each another content, for a file that says what it said is no reload."""
    with open(world.path(gateway.name + ".yaml")) as file:
        text = file.read()
    return iter([world.write(f"{gateway.name}-{each}.yaml", re.sub(r"limit: \d{9,}", f"limit: {10**9 - 1 - each}", text))
                 for each in range(count)])


def _replace(world, gateway, files):
    # Whole or not at all: by a rename, as ConfigMaps do it.
    os.replace(next(files), world.path(gateway.name + ".yaml"))


def _reloads(world, gateway):
    done = subprocess.run(["grep", "-c", "the configuration was replaced", world.path(gateway.name + ".log")], capture_output=True)
    return int(done.stdout or 0)
