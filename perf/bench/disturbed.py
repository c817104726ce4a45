# SPDX-License-Identifier: Apache-2.0
"""What a good client notices, at a steady pace, while something else goes on: a flood of forged tokens, a reload of 10,000 routes.

The 99th percentiles that are compared are of all rounds together. In one round some 120 requests are slower than it, and one collection
or one reload decides about 20 of them: such figures of the same gateway are up to three times each other. The first half second of each
load does not count: the handshakes of its connections are slower than all that follows, with a disturbance and without, and would make
the two more alike than they are. The first reloads count, although their code is interpreted and compiled in them: who reloads once
an hour has no others.

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
CONNECTING_MICROS = 500_000


def measure(world, processes, gateway, known, rounds):
    """Returns for each disturbance the 99th percentile of all rounds and those of each, in milliseconds, and what was lost."""
    good = loads.Load(world, next(each for each in known if each.name == "half_load"))
    forged = loads.Load(world, next(each for each in known if each.name == "denied_signature"))
    good.warm(gateway.port, 20 * PACE, 16)
    taken = {"alone": [], "flood": [], "reload": []}
    micros = {"alone": [], "flood": [], "reload": []}
    wrong = {"alone": 0, "flood": 0, "reload": 0}
    before = _reloads(world, gateway)
    files = _files(world, gateway, rounds * (int(SECONDS / PAUSE) + 1))
    for number in range(rounds):
        for name, disturbance in (("alone", None), ("flood", lambda until: _flood(forged, gateway, until)),
                                  ("reload", lambda until: _reload(world, gateway, until, files))):
            say(f"disturbed: round {number + 1} of {rounds}, {name}")
            until = time.monotonic() + SECONDS
            other = threading.Thread(target=disturbance, args=(until,)) if disturbance else None
            if other:
                other.start()
            _, lost, _, _, _ = good.paced(gateway.port, SECONDS - 1, PACE)
            if other:
                other.join()
            answers = _answers(world)
            taken[name].append(_p99(answers))
            micros[name] += answers
            wrong[name] += lost
    return {"pace_per_second": PACE, "p99_ms": {name: _p99(each) for name, each in micros.items()}, "p99_ms_of_rounds": taken, "wrong": wrong,
            "reloads": _reloads(world, gateway) - before, "forged_sent": forged.sent}


def _answers(world):
    """How long each answer of the last load took."""
    with open(world.path("paced.log")) as lines:
        answers = [(int(began), int(micros)) for began, _, micros in map(str.split, lines)]
    counted_from = min(began for began, _ in answers) + CONNECTING_MICROS
    return [micros for began, micros in answers if began >= counted_from]


def _p99(micros):
    return sorted(micros)[len(micros) * 99 // 100] / 1000


def _flood(forged, gateway, until):
    # One connection: as fast as it is refused, and no faster.
    forged.run(gateway.port, int(until - time.monotonic()), 1)


def _files(world, gateway, count):
    """What the configuration will say, one after the other: each another content, for a file that says what it said is no reload."""
    with open(world.path(gateway.name + ".yaml")) as file:
        text = file.read()
    return iter([world.write(f"{gateway.name}-{each}.yaml", re.sub(r"limit: \d{9,}", f"limit: {10**9 - 1 - each}", text))
                 for each in range(count)])


def _reload(world, gateway, until, files):
    while time.monotonic() < until:
        # Whole or not at all: by a rename, as ConfigMaps do it.
        os.replace(next(files), world.path(gateway.name + ".yaml"))
        time.sleep(PAUSE)


def _reloads(world, gateway):
    done = subprocess.run(["grep", "-c", "the configuration was replaced", world.path(gateway.name + ".log")], capture_output=True)
    return int(done.stdout or 0)
