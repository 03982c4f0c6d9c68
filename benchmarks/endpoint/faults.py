"""5,000 calls to an endpoint that fails in seven ways, in a run that is killed in the middle.

    python -m benchmarks.endpoint.faults [--rows 5000] [--share 0.02] [--at-once 32]

A server on loopback answers 429, 500, byte by byte, half, with half its JSON, with a web page, or
resets the connection, each for its share of the calls. `accordeur run` asks it one row at a time;
when half the calls are made it is killed with SIGKILL, and the same command is typed again. Then:
every row has one answer, its own; none is there twice or lost; and no more calls were made than
1.2 times those needed, and what was in flight at the kill.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from accordeur.testing.endpoint import Messages, ScriptedEndpoint
from accordeur.testing.puzzle import puzzle_texts

KINDS = ("429", "500", "slow", "cut", "wrong json", "html", "reset")
ALONE = 21
SPEED = 17
PROBES = 8
STARTS = 2
"""Calls beside those of rows: single queries, the probes of speed and abilities, and one to see
that somebody answers at each of two starts."""


def mirrored(messages: Messages) -> str:
    """An answer that shows whose it is."""
    return " ".join(reversed(messages[-1]["content"].split()[-3:]))


def start(task: Path, home: Path, url: str, at_once: int, *more: str) -> subprocess.Popen[str]:
    """The command, in a process of its own."""
    command = [sys.executable, "-m", "accordeur.cli", "run", str(task), "-m", "openai/scripted"]
    command += ["--base-url", url, "--levers", "as-is", "--no-screening", "-j", str(at_once), *more]
    place = {"ACCORDEUR_RUNS": str(home / "runs"), "ACCORDEUR_CACHE": str(home / "cache")}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **place},
    )


def killed(task: Path, home: Path, server: ScriptedEndpoint, at_once: int, calls: int) -> int:
    """Kill the run when so many calls were made; how many were."""
    process = start(task, home, server.base_url, at_once)
    while server.seen.calls < calls and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return server.seen.calls


def judged(rows: list[dict[str, Any]], task: Path) -> dict[str, int]:
    """Rows by what became of them."""
    wanted = {}
    for split in ("dev", "test"):
        for line in (task / f"{split}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            wanted[split, row["id"]] = " ".join(reversed(row["input"].split()[-3:]))
    found: Counter[tuple[str, str]] = Counter((row["split"], row["row"]) for row in rows)
    return {
        "rows": len(wanted),
        "answered": sum(row["status"] == "ok" for row in rows),
        "errors": sum(row["status"] == "error" for row in rows),
        "crossed": sum(
            row["status"] == "ok" and row["text"] != wanted[row["split"], row["row"]]
            for row in rows
        ),
        "twice": sum(times - 1 for times in found.values()),
        "lost": sum(key not in found for key in wanted),
    }


def main() -> int:
    """Do it, print what came of it; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--share", type=float, default=0.02)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--delay", type=float, default=0.02)
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    dev = max(20, asked.rows // 5)
    sizes = {"train": 20, "dev": dev, "test": asked.rows - dev}
    faults = dict.fromkeys(KINDS, asked.share)
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        ScriptedEndpoint(mirrored, faults=faults, delay=asked.delay, retry_after=0.05) as server,
    ):
        home = Path(folder)
        task = puzzle_texts(home / "task", sizes)
        at_kill = killed(task, home, server, asked.at_once, asked.rows // 2)
        place = home / "answers.jsonl"
        again = start(task, home, server.base_url, asked.at_once, "-o", str(place))
        said, _ = again.communicate()
        if again.returncode:
            print(said)
            return 1
        rows = [json.loads(line) for line in place.read_text(encoding="utf-8").splitlines()]
        (entry,) = (home / "runs").glob("*/entries/as-is.json")
        mine = json.loads(entry.read_text(encoding="utf-8"))["scored"][0]["id"]
        found = judged([row for row in rows if row["configuration"] == mine], task)
    needed = asked.rows + ALONE + SPEED + PROBES + STARTS
    told = {
        **found,
        "calls": server.seen.calls,
        "calls at the kill": at_kill,
        "needed": needed,
        "calls per call needed": round(server.seen.calls / needed, 4),
        "faults": dict(server.seen.faults),
        "seconds": round(time.perf_counter() - began, 1),
    }
    print(json.dumps(told, indent=1))
    if asked.out is not None:
        asked.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    kept = found["crossed"] == found["twice"] == found["lost"] == 0
    whole = found["answered"] + found["errors"] == found["rows"]
    frugal = server.seen.calls <= 1.2 * needed + asked.at_once
    return 0 if kept and whole and frugal else 1


if __name__ == "__main__":
    raise SystemExit(main())
