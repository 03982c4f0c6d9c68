"""Lets sides take turns, step by step, each in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accordeur.models import catalog
from benchmarks.training.sides import SIDES, Side
from benchmarks.training.work import INSTRUCTION, RATES, SEED, VIRTUAL, Work, tokenizer, work

RANK, ALPHA = 16, 32.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Study:
    """What is trained, and on what."""

    method: str
    shared: bool
    steps: int

    @property
    def name(self) -> str:
        return f"{self.method}, {'behind the prompt' if self.shared else 'each row alone'}"


class Runner:
    """One side of a race, waiting between its steps."""

    def __init__(self, side: Side, job: dict[str, Any], python: str) -> None:
        self.side = side
        self.steps: list[dict[str, Any]] = []
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(job, file)
        self._job = Path(file.name)
        module = "ours" if side.dtype else "peer"
        self._process = subprocess.Popen(
            [python, "-m", f"benchmarks.training.{module}", file.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if not os.environ.get("LOUD") else None,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
                "HF_HUB_OFFLINE": "1",
                "HF_HUB_DISABLE_TELEMETRY": "1",
                "TOKENIZERS_PARALLELISM": "false",
            },
        )
        self.facts: dict[str, Any] = {}

    def ready(self) -> None:
        """Wait until it is set up."""
        self.facts = self._read()

    def step(self) -> None:
        """Let it take a step."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        self.steps.append(self._read())

    def end(self) -> None:
        """Let it go."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._job.unlink()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"`{self.side.title}` ended: run it with LOUD=1 to see why")
        found: dict[str, Any] = json.loads(line)
        return found


def race(
    study: Study, names: Sequence[str], peer: str, threads: int
) -> tuple[Work, dict[str, Runner]]:
    """Everyone's steps, in turns."""
    common, shared = _common(study, threads)
    runners = {}
    for name in names:
        side = SIDES[name]
        own = {"dtype": side.dtype} if side.dtype else {"settings": side.settings, **shared[1]}
        runners[name] = Runner(side, {**common, **own}, sys.executable if side.dtype else peer)
    for runner in runners.values():
        runner.ready()
    for at in range(study.steps):
        for name, runner in runners.items():
            runner.step()
            last = runner.steps[-1]
            print(f"  {at} {name} {last['loss']:.5f} {last['wall']:.2f} s", file=sys.stderr)
    for runner in runners.values():
        runner.end()
    return shared[0], runners


def _common(study: Study, threads: int) -> tuple[dict[str, Any], tuple[Work, dict[str, Any]]]:
    """The job of both sides, and what the peer is given on top."""
    from safetensors import safe_open

    place = catalog.ready(catalog.SMOLLM2)
    given = work(study.method, study.steps, shared=study.shared)
    common: dict[str, Any] = {
        "model": str(place),
        "method": study.method,
        "shared": study.shared,
        "steps": study.steps,
        "threads": threads,
        "seed": SEED,
        "rank": RANK,
        "alpha": ALPHA,
    }
    scale = 1.0
    if study.method == "soft":
        with safe_open(str(place / "model.safetensors"), "pt") as file:
            table = file.get_tensor("model.embed_tokens.weight").float()
        scale = float(table.square().mean().sqrt())
        ids = tokenizer().plain(INSTRUCTION)[:VIRTUAL]
        common["start"] = table[list(ids)].tolist()
    modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    return common, (given, {**given.peer(scale), "modules": modules})


__all__ = ["RATES", "Runner", "Study", "race"]
