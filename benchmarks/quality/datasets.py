"""Public data sets as task folders, drawn with seed 0.

They are read from `ACCORDEUR_DATA` (default `../shared/data`) and never copied into the project;
each set's source, commit and licence stand in the README beside it.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class LabelSet:
    """One label data set.

    Attributes:
        name: its folder under `ACCORDEUR_DATA`.
        instruction: ours, written before the first run and not varied.
        source: where it comes from, for who does not have it.
        held_out: rows of the official test split that are measured.
        effort: configurations few-shot may score on dev.
        allow_leakage: kinds of leakage the public splits are known to have.
    """

    name: str
    instruction: str
    source: str
    held_out: int = 500
    effort: int = 5
    allow_leakage: tuple[str, ...] = ()


SETS = (
    LabelSet(
        "uci_sentences",
        "Is the sentiment of this review sentence positive or negative?",
        "Sentiment Labelled Sentences, UCI repository data set 331 (Kotzias et al. 2015)",
    ),
    LabelSet(
        "twitter_fin",
        "What does this financial news tweet mean for the stock: bearish, bullish or neutral?",
        "zeroshot/twitter-financial-news-sentiment, 2022",
        allow_leakage=("near",),
    ),
    LabelSet(
        "banking77",
        "Which intent does this customer's question to a bank express?",
        "BANKING77, PolyAI-LDN/task-specific-datasets (Casanueva et al. 2020)",
        held_out=300,
        effort=2,
        allow_leakage=("near",),
    ),
)

DEV = 200


def data_root() -> Path:
    """The folder of public data sets."""
    return Path(os.environ.get("ACCORDEUR_DATA", "../shared/data"))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSONL file."""
    # Not `splitlines`: rows hold U+2028, which ends no line of JSONL.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def write_task(chosen: LabelSet, train_rows: int, folder: Path) -> Path:
    """A task folder with `train_rows` train rows, 200 dev rows and the held-out rows.

    Raises:
        SystemExit: the data set is not there.
    """
    root = data_root() / chosen.name
    if not root.is_dir():
        raise SystemExit(
            f"{root} is not there.\n\nhint: set ACCORDEUR_DATA; the set comes from {chosen.source}"
        )
    counts = {"train": train_rows, "dev": DEV, "test": chosen.held_out}
    labels = {str(row["expected"]) for row in draw_splits(root, counts, folder)}
    config = {
        "name": f"{chosen.name}-{train_rows}",
        "instruction": chosen.instruction,
        "data": {split: f"{split}.jsonl" for split in ("train", "dev", "test")},
        "labels": {name: name.replace("_", " ").strip("? ") for name in sorted(labels)},
        "metric": "accuracy",
        "allow_leakage": list(chosen.allow_leakage),
    }
    (folder / "task.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return folder


def draw_splits(root: Path, counts: Mapping[str, int], folder: Path) -> list[dict[str, Any]]:
    """Write so many rows of every split, drawn with seed 0; returns all they were drawn from."""
    folder.mkdir(parents=True, exist_ok=True)
    known = []
    for split, count in counts.items():
        rows = sorted(read_rows(root / f"{split}.jsonl"), key=lambda row: str(row["id"]))
        known += rows
        kept = random.Random(0).sample(rows, min(count, len(rows)))
        lines = [
            json.dumps({name: row[name] for name in ("id", "input", "expected")}) for row in kept
        ]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return known
