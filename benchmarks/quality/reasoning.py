"""Reasoning patterns on sums in words: what each gains or loses, and what a second look changes.

    python -m benchmarks.quality.reasoning [--sets arithmetic,svamp] [--set LEVER.NAME=VALUE]
        [--out benchmarks/quality/reasoning_results]

One run per set with every lever to its end (no screening, no budget); it resumes where it stopped.
`arithmetic` is our example, whose rows carry worked steps; svamp (Patel et al. 2021, read from
`ACCORDEUR_DATA`) has none, so `reason+lora` is refused there at planning.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import accordeur
from accordeur.bench.stacks import parse_stacks, refuse_impossible
from accordeur.cli.settings import parse_settings
from accordeur.models.source import Models
from benchmarks.quality.datasets import data_root, draw_splits
from benchmarks.quality.lines import Lines

SETS = ("arithmetic", "svamp")

LEVERS = (
    "few-shot",
    "reason",
    "self-consistency",
    "reason+self-consistency",
    "critique",
    "decompose",
    "lora",
    "reason+lora",
)

EFFORT = 3
"""Configurations each lever may score on dev."""

SVAMP = {"train": 600, "dev": 100, "test": 300}
INSTRUCTION = "Solve the problem. Answer with the number alone."
"""For svamp; ours, written before the first run and not varied."""


def task_folder(name: str, folder: Path) -> Path:
    """Where the task is; svamp is drawn into `folder`.

    Raises:
        SystemExit: svamp is not there.
    """
    if name == "arithmetic":
        return Path(__file__).parents[2] / "examples" / "arithmetic"
    root = data_root() / name
    if not root.is_dir():
        raise SystemExit(f"{root} is not there.\n\nhint: set ACCORDEUR_DATA")
    draw_splits(root, SVAMP, folder)
    config = {
        "name": name,
        "instruction": INSTRUCTION,
        "data": {split: f"{split}.jsonl" for split in SVAMP},
        "metric": "numeric",
        "allow_leakage": ["near"],
    }
    (folder / "task.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return folder


def measure(
    name: str, levers: Sequence[str], settings: Mapping[str, Mapping[str, Any]], runs: Path
) -> dict[str, Any]:
    """One run; scores, revisions and first errors of every entry."""
    source = Models()
    with tempfile.TemporaryDirectory() as place:
        folder = task_folder(name, Path(place))
        refused = _refused(folder, levers, source)
        run = accordeur.run(
            folder,
            levers=[lever for lever in levers if lever not in refused],
            effort=EFFORT,
            screening=False,
            forgetting="off",
            settings=settings,
            runs=runs,
            source=source,
            observer=Lines(),
        )
    record = run.record
    return {
        "set": name,
        "counts": record["task"]["counts"],
        "settings": settings,
        "pick": record["decision"]["pick"],
        "word": record["decision"]["word"],
        "verdict": str(run.verdict),
        "refused": refused,
        "model": record["model"],
        "environment": record["environment"],
        "entries": {one["name"]: _entry(one) for one in record["entries"]},
    }


def _refused(folder: Path, levers: Sequence[str], source: Models) -> dict[str, str]:
    """What planning refuses on this task, and why."""
    task = accordeur.load_task(folder)
    stacks, _ = parse_stacks(list(levers), {})
    _, refused = refuse_impossible(
        stacks,
        task.brief,
        source.model("local/smollm2").capabilities,
        labelled_rows=len(task.train) + len(task.dev),
        training_allowed=True,
        has_documents=False,
        has_steps=any(row.steps for row in task.train),
    )
    return {one.name: one.reason for one in refused}


def _entry(one: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: one[key] for key in ("status", "reason", "configuration", "reasoning")}
    for split in ("dev", "test"):
        found[split] = one[split] and {key: one[split][key] for key in ("score", "n", "interval")}
    cost = one["cost"] or {}
    return found | {key: cost.get(key) for key in ("fit_seconds", "cold_seconds")}


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Scores by entry; what a second look changed; where chains went wrong."""
    scores, revised, errors = [], [], []
    for one in results:
        for name, entry in one["entries"].items():
            use = entry["cold_seconds"]
            scores.append(
                (
                    one["set"],
                    name,
                    entry["configuration"] or entry["status"],
                    _score(entry["dev"]),
                    _score(entry["test"]),
                    "-" if use is None else f"{use:.2f}",
                )
            )
            for told in (entry["reasoning"] or {}).get("measured", ()):
                of = (one["set"], name, told["configuration"], told["split"])
                if told["revisions"]:
                    found = told["revisions"]
                    keys = ("n", "wrong_to_right", "right_to_wrong", "changed")
                    revised.append((*of, *(str(found[key]) for key in keys)))
                if told["first_errors"]:
                    found = told["first_errors"]
                    kinds = ", ".join(f"{kind} {rows}" for kind, rows in found["kinds"].items())
                    counts = (str(found[key]) for key in ("n", "sound", "detours"))
                    errors.append((*of, *counts, kinds))
        for name, why in one["refused"].items():
            scores.append((one["set"], name, f"refused: {why}", "", "", ""))
    return "\n".join(
        (
            _markdown(("set", "entry", "configuration", "dev", "held-out", "s a query"), scores),
            _markdown((*_OF, "n", "wrong → right", "right → wrong", "changed"), revised),
            _markdown((*_OF, "n", "sound", "detour", "first error of the rest"), errors),
        )
    )


_OF = ("set", "entry", "configuration", "rows")


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _score(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "-"
    bounds = found["interval"]
    return f"{100 * found['score']:.1f} [{100 * bounds['low']:.1f}, {100 * bounds['high']:.1f}]"


def main() -> None:
    """Measure what is asked and print the tables of all results so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--levers", default=",".join(LEVERS))
    parser.add_argument("--set", action="append", default=[], metavar="LEVER.NAME=VALUE")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/quality/reasoning_results"))
    parser.add_argument("--runs", type=Path, default=Path(".accordeur/benchmark-runs"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in asked.sets.split(","):
        place = asked.out / f"{name}.json"
        if not place.exists():
            print(name, flush=True)
            settings = parse_settings(asked.set)
            found = measure(name, asked.levers.split(","), settings, asked.runs)
            place.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    results = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(asked.out.glob("*.json"))
    ]
    (asked.out / "table.md").write_text(table(results), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
