"""The same calls as whole commands: `accordeur eval`, promptfoo and inspect-ai, in turn.

    python -m benchmarks.endpoint.peers --promptfoo FOLDER --inspect PYTHON
        [--calls 5000] [--delay 0.05] [--at-once 64] [--rounds 3] [--out FILE]

FOLDER holds `node_modules/.bin/promptfoo`, PYTHON has inspect-ai. Every command asks a server on
loopback (`drive.py --serve`) the same prompts and checks each answer by its own means, exact text;
what it wrote down is read and compared once more. Beside each stands a bare httpx loop of the same
round, and the command with a single prompt, which is what starting costs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.endpoint.drive import bare, ours_once, prompt, scripted, timed

Rows = list[dict[str, str]]
Work = Callable[[Path, Rows], list[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where everybody asks, and how many calls at once."""

    base_url: str
    at_once: int


def rows(calls: int) -> Rows:
    """Prompts and the answers that the server gives."""
    return [{"prompt": prompt(number), "answer": f"row{number}"} for number in range(calls)]


def accordeur_eval(place: Place) -> Work:
    """`accordeur eval` on a CSV of cases."""

    def work(folder: Path, asked: Rows) -> list[str]:
        _csv(folder / "cases.csv", asked)
        config = {
            "prompts": ["{{ prompt }}"],
            "models": [{"model": "openai/scripted", "max_tokens": 16}],
            "cases": "cases.csv",
            "check": [{"equals": "{{ answer }}"}],
        }
        (folder / "c.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        command = [sys.executable, "-m", "accordeur.cli", "eval", "-c", "c.yaml"]
        more = ["--base-url", place.base_url, "-j", str(place.at_once), "--no-cache"]
        _run([*command, *more, "-o", "out.jsonl"], folder)
        told = [json.loads(line) for line in (folder / "out.jsonl").read_text("utf-8").splitlines()]
        return [str(one["output"]) for one in told]

    return work


def promptfoo(place: Place, program: Path) -> Work:
    """`promptfoo eval` on the same CSV."""

    def work(folder: Path, asked: Rows) -> list[str]:
        _csv(folder / "cases.csv", asked)
        provider = {
            "id": "openai:chat:scripted",
            "config": {
                "apiBaseUrl": place.base_url,
                "apiKey": "none",
                "max_tokens": 16,
                "temperature": 0,
            },
        }
        config = {
            "prompts": ["{{ prompt }}"],
            "providers": [provider],
            "tests": "cases.csv",
            "defaultTest": {"assert": [{"type": "equals", "value": "{{ answer }}"}]},
        }
        (folder / "c.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        quiet = {
            "PROMPTFOO_DISABLE_TELEMETRY": "1",
            "PROMPTFOO_DISABLE_UPDATE": "1",
            "PROMPTFOO_CONFIG_DIR": str(folder / "own"),
        }
        more = ["-j", str(place.at_once), "--no-cache", "--no-progress-bar", "--no-table"]
        _run([str(program), "eval", "-c", "c.yaml", *more, "-o", "out.json"], folder, quiet)
        results = json.loads((folder / "out.json").read_text("utf-8"))["results"]["results"]
        ordered = sorted(results, key=lambda one: int(one["testIdx"]))
        return [str(one["response"]["output"]) for one in ordered]

    return work


def inspect_ai(place: Place, python: Path) -> Work:
    """`inspect_ai.eval` with the scorer `match`."""

    def work(folder: Path, asked: Rows) -> list[str]:
        lines = "".join(json.dumps(row) + "\n" for row in asked)
        (folder / "prompts.jsonl").write_text(lines, encoding="utf-8")
        script = Path(__file__).with_name("inspect_drive.py")
        more = ["prompts.jsonl", place.base_url, str(place.at_once), str(folder / "logs")]
        said = _run([str(python), str(script), *more], folder)
        return list(json.loads(said.splitlines()[-1])["answers"])

    return work


def _csv(place: Path, asked: Rows) -> None:
    # No prompt or answer holds a comma, a quote or a line break.
    lines = [f"{row['prompt']},{row['answer']}" for row in asked]
    place.write_text("\n".join(["prompt,answer", *lines]) + "\n", encoding="utf-8")


def _run(command: list[str], folder: Path, more: dict[str, str] | None = None) -> str:
    own = {**os.environ, "OPENAI_API_KEY": "none", **(more or {})}
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def seconds_of(work: Work, asked: Rows) -> tuple[float, float]:
    """Wall and processor seconds of the whole command; every answer is that of its prompt."""
    with tempfile.TemporaryDirectory() as folder:
        begun, own = time.perf_counter(), _children()
        said = work(Path(folder), asked)
        spent = time.perf_counter() - begun, _children() - own
    assert said == [row["answer"] for row in asked], f"an answer was lost or crossed: {said[:3]}"
    return spent


def _children() -> float:
    now = os.times()
    return now.children_user + now.children_system


def main() -> None:
    """Measure all in turn and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--promptfoo", type=Path)
    parser.add_argument("--inspect", type=Path)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with scripted(asked.delay) as base_url:
        place = Place(base_url, asked.at_once)
        works: dict[str, Work] = {"accordeur eval": accordeur_eval(place)}
        if asked.promptfoo is not None:
            program = asked.promptfoo.resolve() / "node_modules/.bin/promptfoo"
            works["promptfoo"] = promptfoo(place, program)
        if asked.inspect is not None:
            works["inspect-ai"] = inspect_ai(place, asked.inspect.absolute())
        starting = {name: seconds_of(work, rows(1)) for name, work in works.items()}
        found: dict[str, list[tuple[float, float]]] = {
            name: [] for name in ("bare", "ours", *works)
        }
        for _ in range(asked.rounds):
            for name, once in (("bare", bare), ("ours", ours_once)):
                found[name].append(
                    timed(lambda o=once: o(base_url, asked.calls, asked.at_once), asked.calls)  # type: ignore[misc]
                )
            for name, work in works.items():
                found[name].append(seconds_of(work, rows(asked.calls)))
    told: dict[str, object] = {
        "calls": asked.calls,
        "delay": asked.delay,
        "at_once": asked.at_once,
        "ideal": asked.calls * asked.delay / asked.at_once,
        "load": os.getloadavg()[0],
    }
    for name, spent in found.items():
        ratio = statistics.median(
            mine[0] / base[0] for mine, base in zip(spent, found["bare"], strict=True)
        )
        wall, own = (statistics.median(one[at] for one in spent) for at in (0, 1))
        told[name] = {
            "seconds": [one[0] for one in spent],
            "processor": [one[1] for one in spent],
            "of_bare": ratio,
            "starting": starting.get(name),
        }
        print(
            f"{name:15} {wall:7.2f} s, {own:6.2f} s of processor, {ratio:5.2f} times bare"
            + (f"; with one prompt {starting[name][0]:.2f} s" if name in starting else "")
        )
    if asked.out is not None:
        asked.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
