# SPDX-License-Identifier: Apache-2.0
"""What a good client notices, at a steady pace, while something else goes on: a flood of forged tokens, a reload of 10,000 routes."""

import itertools
import os
import re
import subprocess
import tempfile
import threading
import time

import loads
from world import say

PACE = 1_000
SECONDS = 8


def measure(world, processes, gateway, known, rounds):
    """Returns for each disturbance the 99th percentiles in milliseconds, and what was lost."""
    good = loads.Load(world, next(each for each in known if each.name == "half_load"))
    forged = loads.Load(world, next(each for each in known if each.name == "denied_signature"))
    good.warm(gateway.port, 20 * PACE, 16)
    taken = {"alone": [], "flood": [], "reload": []}
    wrong = {"alone": 0, "flood": 0, "reload": 0}
    before = _reloads(world, gateway)
    limits = itertools.count(10**9 - 1, -1)
    for number in range(rounds):
        for name, disturbance in (("alone", None), ("flood", lambda until: _flood(forged, gateway, until)),
                                  ("reload", lambda until: _reload(world, gateway, until, limits))):
            say(f"disturbed: round {number + 1} of {rounds}, {name}")
            until = time.monotonic() + SECONDS
            other = threading.Thread(target=disturbance, args=(until,)) if disturbance else None
            if other:
                other.start()
            _, lost, _, _, p99 = good.paced(gateway.port, SECONDS - 1, PACE)
            if other:
                other.join()
            taken[name].append(p99)
            wrong[name] += lost
    return {"pace_per_second": PACE, "p99_ms": taken, "wrong": wrong, "reloads": _reloads(world, gateway) - before,
            "forged_sent": forged.sent}


def _flood(forged, gateway, until):
    # One connection: as fast as it is refused, and no faster.
    forged.run(gateway.port, int(until - time.monotonic()), 1)


def _reload(world, gateway, until, limits):
    path = world.path(gateway.name + ".yaml")
    while time.monotonic() < until:
        with open(path) as file:
            # Another one each time and in each round: a file that says what it said is no reload.
            text = re.sub(r"limit: \d{9,}", f"limit: {next(limits)}", file.read())
        # Whole or not at all: by a rename, as ConfigMaps do it.
        handle, new = tempfile.mkstemp(dir=world.dir)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.replace(new, path)
        time.sleep(2.5)


def _reloads(world, gateway):
    done = subprocess.run(["grep", "-c", "the configuration was replaced", world.path(gateway.name + ".log")], capture_output=True)
    return int(done.stdout or 0)
