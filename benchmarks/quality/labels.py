"""Floors, as-is, few-shot raw and calibrated, and the verdict, on three public label sets.

    python -m benchmarks.quality.labels [--sets uci_sentences,twitter_fin,banking77]
                                        [--rows 100,500,1500] [--out benchmarks/quality/results]

Runs resume where they stopped; results are one JSON file per set and size, and `table.md`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import accordeur
from accordeur.bench.observer import EntryView, Silent
from benchmarks.quality.datasets import SETS, LabelSet, write_task

LEVERS = ("as-is", "calibration", "few-shot", "few-shot+calibration")
AGAINST = ("few-shot", "as-is", "calibration")
"""What calibrated few-shot is set against."""


class _Lines(Silent):
    def phase(self, name: str) -> None:
        print(f"  {time.strftime('%H:%M:%S')} {name}", flush=True)

    def entry(self, view: EntryView) -> None:
        score = "-" if view.dev is None else f"{100 * view.dev:.1f}"
        print(f"    {view.name}: {view.status} dev {score} {view.configuration}", flush=True)


def measure(chosen: LabelSet, rows: int, runs: Path) -> dict[str, Any]:
    """One run; what the table needs of its record."""
    with tempfile.TemporaryDirectory() as folder:
        task = write_task(chosen, rows, Path(folder))
        run = accordeur.run(
            task, levers=list(LEVERS), effort=chosen.effort, runs=runs, observer=_Lines()
        )
    return summary(run.record)


def summary(record: Mapping[str, Any]) -> dict[str, Any]:
    """Scores, pairs, verdict and regret out of a record."""
    entries = {entry["name"]: entry for entry in record["entries"]}
    scores = {name: entry["test"]["score"] for name, entry in entries.items() if entry["test"]}
    pick = record["decision"]["pick"]
    best = max(scores, key=lambda name: scores[name])
    pairs = {}
    for pair in record["pairs"]:
        names = {pair["a"], pair["b"]}
        if "few-shot+calibration" in names:
            other = (names - {"few-shot+calibration"}).pop()
            sign = 1 if pair["a"] == "few-shot+calibration" else -1
            low, high = pair["interval"]["low"], pair["interval"]["high"]
            pairs[other] = {
                "difference": sign * pair["difference"],
                "low": low if sign > 0 else -high,
                "high": high if sign > 0 else -low,
            }
    return {
        "task": record["task"]["name"],
        "counts": record["task"]["counts"],
        "scores": {
            name: {
                "dev": entry["dev"]["score"],
                "test": entry["test"]["score"],
                "low": entry["test"]["interval"]["low"],
                "high": entry["test"]["interval"]["high"],
                "configuration": entry["configuration"],
                "fit_seconds": entry["cost"]["fit_seconds"],
                "cold_seconds": entry["cost"]["cold_seconds"],
            }
            for name, entry in entries.items()
            if entry["test"]
        },
        "calibrated_few_shot_against": {name: pairs[name] for name in AGAINST if name in pairs},
        "pick": pick,
        "word": record["decision"]["word"],
        "sureness": record["decision"]["sureness"],
        "too_few": record["decision"]["too_few"],
        "best": best,
        "regret": scores[best] - scores[pick] if pick else None,
        "model": record["model"],
        "environment": record["environment"],
    }


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """The results as Markdown."""
    names = sorted({name for one in results for name in one["scores"]}, key=_order)
    head = ["set and train rows", "held-out", *names, "verdict", "regret"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for one in results:
        cells = [one["task"], str(one["counts"]["test"])]
        for name in names:
            score = one["scores"].get(name)
            cells.append("-" if score is None else f"{100 * score['test']:.1f}")
        sure = f"{one['word']} ({one['sureness']:.2f})"
        cells += [f"{one['pick']}, {sure}", f"{100 * one['regret']:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "Calibrated few-shot less the other, held-out, points with 95 % paired interval:",
        "",
        f"| set and train rows | {' | '.join(AGAINST)} |",
        f"|---|{'---|' * len(AGAINST)}",
    ]
    for one in results:
        cells = [one["task"]]
        for name in AGAINST:
            pair = one["calibrated_few_shot_against"][name]
            cells.append(
                f"{100 * pair['difference']:+.1f} "
                f"[{100 * pair['low']:+.1f}, {100 * pair['high']:+.1f}]"
            )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _order(name: str) -> tuple[int, str]:
    return (0 if name.startswith("floor:") else 1 + (*LEVERS, name).index(name), name)


def main() -> None:
    """Measure what is asked and print the table of all results so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(one.name for one in SETS))
    parser.add_argument("--rows", default="100,500,1500")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/quality/results"))
    parser.add_argument("--runs", type=Path, default=Path(".accordeur/benchmark-runs"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for chosen in SETS:
        if chosen.name not in asked.sets.split(","):
            continue
        for rows in map(int, asked.rows.split(",")):
            print(f"{chosen.name}, {rows} train rows", flush=True)
            result = measure(chosen, rows, asked.runs)
            place = asked.out / f"{chosen.name}-{rows}.json"
            place.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    order = {one.name: index for index, one in enumerate(SETS)}
    files = sorted(
        asked.out.glob("*-*.json"),
        key=lambda path: (
            order.get(path.stem.rpartition("-")[0], 99),
            int(path.stem.rpartition("-")[2]),
        ),
    )
    text = table([json.loads(path.read_text(encoding="utf-8")) for path in files])
    (asked.out / "table.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
