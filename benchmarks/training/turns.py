"""How the two sides take turns: one step each, told over pipes. Standard library only.

A worker writes a line when it is ready and one after every step, and waits in between, so what
else runs on the machine meets both sides alike and no side works while the other is timed.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any


class Turns:
    """The worker's end. Its standard output carries nothing else: what libraries print is an error.

    Steps are timed from the word to begin until `done`, whatever happens in between.
    """

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self._wall = self._cpu = 0.0

    def ready(self, **facts: Any) -> None:
        """Set up and all told; returns when the first step may begin."""
        self._say(facts)
        self._wait()

    def done(self, loss: float, **facts: Any) -> None:
        """A step is taken; returns when the next may begin, or ends the process."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self._say({"loss": loss, "wall": wall, "cpu": cpu, "peak_bytes": peak, **facts})
        self._wait()

    def _say(self, facts: dict[str, Any]) -> None:
        print(json.dumps(facts), file=self._out, flush=True)

    def _wait(self) -> None:
        if not sys.stdin.readline():
            os._exit(0)
        self._wall, self._cpu = time.perf_counter(), time.process_time()


def asked() -> dict[str, Any]:
    """What the worker is to do: the JSON file it was given."""
    with open(sys.argv[1], encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found
