"""An endpoint that fails in seven ways, a run that is killed, and every row answered once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from accordeur.testing.endpoint import Messages, ScriptedEndpoint
from accordeur.testing.puzzle import puzzle_texts

SIZES = {"train": 20, "dev": 80, "test": 300}
KINDS = ("429", "500", "slow", "cut", "wrong json", "html", "reset")


def mirrored(messages: Messages) -> str:
    """An answer that shows whose it is."""
    return " ".join(reversed(messages[-1]["content"].split()[-3:]))


def start(task: Path, server: ScriptedEndpoint, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "accordeur.cli", "run", str(task), "-m", "openai/scripted"]
    command += ["--base-url", server.base_url, "--levers", "as-is", "--no-screening", *more]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_nothing_is_lost_or_crossed_after_kill_9(tmp_path: Path) -> None:
    task = puzzle_texts(tmp_path / "task", SIZES)
    faults = dict.fromkeys(KINDS, 0.02)
    with ScriptedEndpoint(mirrored, faults=faults, delay=0.02, retry_after=0.05) as server:
        killed = start(task, server)
        until = time.monotonic() + 120
        while server.seen.calls < 250 and time.monotonic() < until:
            time.sleep(0.01)  # in the middle of the held-out rows
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        before = server.seen.calls
        assert 250 <= before < 420
        place = tmp_path / "answers.jsonl"
        again = start(task, server, "-o", str(place))
        said, _ = again.communicate(timeout=200)
        assert again.returncode == 0, said
    rows = [json.loads(line) for line in place.read_text(encoding="utf-8").splitlines()]
    (entry,) = (tmp_path / "runs").glob("*/entries/as-is.json")
    as_is = json.loads(entry.read_text(encoding="utf-8"))["scored"][0]["id"]
    mine = [row for row in rows if row["configuration"] == as_is]
    keys = [(row["split"], row["row"]) for row in mine]
    assert len(keys) == len(set(keys)) == SIZES["dev"] + SIZES["test"]
    inputs: dict[tuple[str, str], str] = {}
    for split in ("dev", "test"):
        for line in (task / f"{split}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            inputs[split, row["id"]] = row["input"]
    for row in mine:
        asked = inputs[row["split"], row["row"]]
        assert row["text"] == " ".join(reversed(asked.split()[-3:]))
    # Rows, 21 single queries, 18 calls of the probe of speed, and a call at each start.
    needed = SIZES["dev"] + SIZES["test"] + 21 + 18 + 2
    in_flight = 32 + 10
    assert server.seen.calls <= 1.2 * needed + in_flight
    assert sum(server.seen.faults.values()) > 20
