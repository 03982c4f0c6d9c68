"""Do 95 % intervals on dev hold the score on all remaining rows? Repeated splits of real data.

    python -m benchmarks.record.coverage [--sets uci_sentences,banking77] [--repeats 100]

Every repetition draws train and dev rows anew from all rows of a set and runs the product itself;
all rows that remain are held out. On uci_sentences the prompt as given and its calibration are
measured beside the floors; on banking77, whose 8,000 rows times 77 labels no model scores here in
time, the floors alone. One line of JSON per repetition, so a stopped run goes on.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import NormalDist, fmean
from typing import Any

import numpy as np
import yaml

import accordeur
from accordeur.core.model import Embedder, FloatArray, Model, ModelIdentity, Reranker
from accordeur.measure.statistics.wilson import wilson
from accordeur.models.source import Models
from benchmarks.quality.datasets import SETS, LabelSet, data_root, read_rows

TRAIN = {"uci_sentences": 300, "banking77": 1000}
DEV = 200
LEVERS = {"uci_sentences": ("local/smollm2", "calibration"), "banking77": ("none", "as-is")}
"""Model and levers; floors always stand beside them."""

LEVEL = 0.95

_HEADS = (
    "set",
    "entry",
    "repetitions",
    "configurations",
    "held by the interval",
    "mean width",
    "dev − remaining",
    "estimate − remaining",
)


class Remembering:
    """An embedder that embeds every text once: repetitions share all their rows."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, FloatArray] = {}

    @property
    def identity(self) -> ModelIdentity:
        """Of the embedder."""
        return self._embedder.identity

    @property
    def dimension(self) -> int:
        """Of a vector."""
        return self._embedder.dimension

    @property
    def max_tokens(self) -> int:
        """Of a text."""
        return self._embedder.max_tokens

    def count_tokens(self, text: str) -> int:
        """Of a text, uncut."""
        return self._embedder.count_tokens(text)

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, dimension]."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._embedder.embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


class Source:
    """Models of this machine; embeddings are remembered."""

    def __init__(self) -> None:
        self._models = Models()
        self._embedders: dict[str, Remembering] = {}

    def model(self, name: str) -> Model:
        """The language model of this name."""
        return self._models.model(name)

    def embedder(self, name: str) -> Embedder:
        """The embedder of this name."""
        if name not in self._embedders:
            self._embedders[name] = Remembering(self._models.embedder(name))
        return self._embedders[name]

    def reranker(self, name: str) -> Reranker:
        """The reranker of this name."""
        return self._models.reranker(name)


def write_task(chosen: LabelSet, rows: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """A task of these rows in this order: train, dev, and all the rest held out."""
    train = TRAIN[chosen.name]
    splits = {"train": rows[:train], "dev": rows[train : train + DEV], "test": rows[train + DEV :]}
    for split, kept in splits.items():
        lines = [
            json.dumps({name: row[name] for name in ("id", "input", "expected")}) for row in kept
        ]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    names = sorted({str(row["expected"]) for row in rows})
    config = {
        "name": chosen.name,
        "instruction": chosen.instruction,
        "data": {split: f"{split}.jsonl" for split in splits},
        "labels": {name: name.replace("_", " ").strip("? ") for name in names},
        "metric": "accuracy",
        "allow_leakage": ["exact", "near"],
    }
    (folder / "task.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return folder


def repeat(chosen: LabelSet, pool: Sequence[Mapping[str, Any]], seed: int, source: Source) -> Any:
    """One draw: what every entry scored on dev, with its interval, and on all remaining rows."""
    rows = list(pool)
    random.Random(seed).shuffle(rows)
    model, lever = LEVERS[chosen.name]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        run = accordeur.run(
            write_task(chosen, rows, place),
            model=model,
            levers=[lever],
            seed=seed,
            effort=4,
            screening=False,
            runs=place / "runs",
            source=source,
        )
    entries = {
        one["name"]: {
            "configurations": one["configurations"],
            "dev": one["dev"]["score"],
            "low": one["dev"]["interval"]["low"],
            "high": one["dev"]["interval"]["high"],
            "est": one["est"],
            "test": one["test"]["score"],
        }
        for one in run.record["entries"]
        if one["dev"] and one["test"]
    }
    return {
        "seed": seed,
        "remaining": run.record["task"]["counts"]["test"],
        "pick": run.record["decision"]["pick"],
        "entries": entries,
    }


def table(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Coverage by set and entry; the pick of every repetition is a line of its own."""
    lines = [f"| {' | '.join(_HEADS)} |", f"|{'---|' * len(_HEADS)}"]
    for name, repetitions in found.items():
        by_entry = defaultdict(list)
        for one in repetitions:
            for entry, measured in one["entries"].items():
                by_entry[entry].append(measured)
            if one["pick"] in one["entries"]:
                by_entry["the pick"].append(one["entries"][one["pick"]])
        for entry, measured in by_entry.items():
            lines.append(f"| {name} | {entry} | {' | '.join(_cells(measured))} |")
        remaining = repetitions[0]["remaining"]
        z = NormalDist().inv_cdf(0.5 + LEVEL / 2) / math.sqrt(1 + DEV / remaining)
        ideal = 2 * NormalDist().cdf(z) - 1
        exact = f"*an exact interval, {remaining:,} rows remaining*"
        lines.append(f"| {name} | {exact} | | | {ideal:.1%} | | | |")
    return "\n".join(lines) + "\n"


def _cells(measured: Sequence[Mapping[str, Any]]) -> list[str]:
    held = sum(one["low"] <= one["test"] <= one["high"] for one in measured)
    sure = wilson(held, len(measured))
    estimated = [one["est"] - one["test"] for one in measured if one["est"] is not None]
    tried = fmean(one["configurations"] for one in measured)
    return [
        str(len(measured)),
        f"{tried:.0f}",
        f"{held / len(measured):.1%} [{sure.low:.1%}, {sure.high:.1%}]",
        f"{100 * fmean(one['high'] - one['low'] for one in measured):.1f}",
        f"{100 * fmean(one['dev'] - one['test'] for one in measured):+.2f}",
        f"{100 * fmean(estimated):+.2f}" if estimated else "-",
    ]


def main() -> None:
    """Measure what is not there yet and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(TRAIN))
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/record/coverage_results"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    source, found = Source(), {}
    for chosen in (one for one in SETS if one.name in asked.sets.split(",")):
        root = data_root() / chosen.name
        if not root.is_dir():
            raise SystemExit(f"{root} is not there.\n\nhint: set ACCORDEUR_DATA")
        pool = [
            row for split in ("train", "dev", "test") for row in read_rows(root / f"{split}.jsonl")
        ]
        place = asked.out / f"{chosen.name}.jsonl"
        done = read_rows(place) if place.exists() else []
        for seed in range(len(done), asked.repeats):
            done.append(repeat(chosen, pool, seed, source))
            with place.open("a", encoding="utf-8") as out:
                out.write(json.dumps(done[-1]) + "\n")
            print(f"{chosen.name} {seed + 1}/{asked.repeats}", flush=True)
        found[chosen.name] = done
    text = table(found)
    (asked.out / "table.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
