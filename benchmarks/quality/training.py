"""Trained levers on public label sets, several seeds, and what the settings give on dev.

    python -m benchmarks.quality.training [--sets uci_sentences,twitter_fin] [--rows 500]
        [--seeds 0,1,2] [--levers soft-prompt,lora] [--set lora.learning_rate=1e-3]
        [--out benchmarks/quality/training]

One run per set, size, seed and lever; runs resume where they stopped. Results are one JSON file per
run and `table.md`. Rows are the same for every seed; the seed moves what training draws.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import accordeur
from accordeur.cli.settings import parse_settings
from benchmarks.quality.datasets import SETS, LabelSet, write_task
from benchmarks.quality.lines import Lines

EFFORT = 4


def measure(
    chosen: LabelSet,
    rows: int,
    seed: int,
    lever: str,
    settings: Mapping[str, Mapping[str, Any]],
    runs: Path,
) -> dict[str, Any]:
    """One run of one lever beside as-is and the floors."""
    with tempfile.TemporaryDirectory() as folder:
        task = write_task(chosen, rows, Path(folder))
        run = accordeur.run(
            task,
            levers=[lever],
            effort=EFFORT,
            forgetting="off",
            seed=seed,
            settings=settings,
            runs=runs,
            observer=Lines(),
        )
    record = run.record
    entries = {entry["name"]: entry for entry in record["entries"]}
    mine = entries[lever]
    return {
        "set": chosen.name,
        "rows": rows,
        "seed": seed,
        "lever": lever,
        "settings": settings,
        "status": mine["status"],
        "reason": mine["reason"],
        "configuration": mine["configuration"],
        "dev": mine["dev"] and mine["dev"]["score"],
        "test": mine["test"] and mine["test"]["score"],
        "interval": mine["test"] and mine["test"]["interval"],
        "fit_seconds": mine["cost"] and mine["cost"]["fit_seconds"],
        "beside": {
            name: {split: entry[split] and entry[split]["score"] for split in ("dev", "test")}
            for name, entry in entries.items()
            if name != lever
        },
        "pick": record["decision"]["pick"],
        "word": record["decision"]["word"],
        "dtype": record["model"]["dtype"],
        "environment": record["environment"],
    }


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """The results as Markdown: seeds printed apart, then their mean."""
    groups: dict[tuple[str, int, str], list[Mapping[str, Any]]] = defaultdict(list)
    for one in results:
        groups[one["set"], one["rows"], one["lever"]].append(one)
    lines = [
        "| set, train rows | entry | dev, by seed | held-out, by seed | mean held-out | seconds |",
        "|---|---|---|---|---|---|",
    ]
    shown = set()
    for (name, rows, lever), found in sorted(groups.items()):
        if (name, rows) not in shown:
            shown.add((name, rows))
            beside = found[0]["beside"]
            floors = [one for one in beside if one.startswith("floor:")]
            best = max(floors, key=lambda one: beside[one]["dev"])
            for entry in ("as-is", best):
                dev, test = beside[entry]["dev"], beside[entry]["test"]
                lines.append(
                    f"| {name}, {rows} | {entry} | {100 * dev:.1f} | {100 * test:.1f} | "
                    f"{100 * test:.1f} | |"
                )
        found = sorted(found, key=lambda one: int(one["seed"]))
        done = [one for one in found if one["test"] is not None]
        cells = [f"{name}, {rows}", lever]
        for split in ("dev", "test"):
            cells.append(
                " ".join("-" if one[split] is None else f"{100 * one[split]:.1f}" for one in found)
            )
        mean = statistics.fmean(one["test"] for one in done) if done else None
        cells.append("-" if mean is None else f"**{100 * mean:.1f}**")
        seconds = [one["fit_seconds"] for one in done]
        cells.append(f"{statistics.median(seconds):.0f}" if seconds else "-")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure what is asked and print the table of all results so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default="uci_sentences,twitter_fin")
    parser.add_argument("--rows", default="500")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--levers", default="soft-prompt,lora")
    parser.add_argument("--set", action="append", default=[], metavar="LEVER.NAME=VALUE")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/quality/training_results"))
    parser.add_argument("--runs", type=Path, default=Path(".accordeur/benchmark-runs"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    settings = parse_settings(asked.set)
    for seed in map(int, asked.seeds.split(",")):
        for chosen in (one for one in SETS if one.name in asked.sets.split(",")):
            for rows in map(int, asked.rows.split(",")):
                for lever in asked.levers.split(","):
                    place = asked.out / f"{chosen.name}-{rows}-{lever}-{seed}.json"
                    if place.exists():
                        continue
                    print(f"{chosen.name}, {rows} rows, seed {seed}, {lever}", flush=True)
                    mine = {name: settings[name] for name in lever.split("+") if name in settings}
                    result = measure(chosen, rows, seed, lever, mine, asked.runs)
                    place.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    files = sorted(asked.out.glob("*.json"))
    text = table([json.loads(path.read_text(encoding="utf-8")) for path in files])
    (asked.out / "table.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
