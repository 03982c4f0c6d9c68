"""The tasks of the record, fixed before the first run: words, sizes, and what is pulled.

Changing anything here starts another record: `fixed` hashes it, and results carry that hash.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from accordeur.core.fingerprint import digest
from benchmarks.quality.datasets import SETS, data_root, draw_splits, read_rows
from benchmarks.quality.texts import SETS as TEXT_SETS

BUDGET = 600.0
"""Seconds of every run."""

HELD_OUT = 300
"""Held-out rows at most."""

LEVERS = "all"

EXAMPLES = ("support", "finance", "calls", "house-style", "arithmetic", "logic")

SIZES = (100, 300, 1000)


@dataclass(frozen=True)
class Entry:
    """One task of the record.

    Attributes:
        name: of its result file.
        source: folder under `ACCORDEUR_DATA`, or of our examples.
        kind: how it is made: `labels`, `text` or `example`.
        train: rows, 0 for all.
        instruction, metric: of text tasks; label sets bring their own.
    """

    name: str
    source: str
    kind: str
    train: int = 0
    instruction: str = ""
    metric: str = "accuracy"

    @property
    def dev(self) -> int:
        """Rows to decide on: two fifths of train, as a split of 50/20/30 gives, 40 to 200."""
        return max(40, min(200, self.train * 2 // 5))


def _entries() -> tuple[Entry, ...]:
    label_sets = ("uci_sentences", "twitter_fin", "banking77")
    found = [Entry(f"{name}-{rows}", name, "labels", rows) for name in label_sets for rows in SIZES]
    found.append(
        Entry(
            "svamp",
            "svamp",
            "text",
            600,
            "Solve the problem. Answer with the number alone.",
            "numeric",
        )
    )
    found.append(
        Entry(
            "xquad_en",
            "xquad_en",
            "text",
            597,
            "Answer the question from the paragraph, in as few words as possible.",
            "token-f1",
        )
    )
    clinical = next(one for one in TEXT_SETS if one.name == "mts_dialog")
    found.append(Entry("mts_dialog", "mts_dialog", "text", 500, clinical.instruction, "rouge-l"))
    found += [Entry(name, name, "example") for name in EXAMPLES]
    return tuple(found)


ENTRIES = _entries()


def fixed() -> str:
    """Hash of everything that was fixed."""
    words = {one.name: one.instruction for one in SETS}
    told: list[Any] = [BUDGET, HELD_OUT, LEVERS, words, [vars(one) for one in ENTRIES]]
    return digest(told)[:12]


def write(entry: Entry, folder: Path) -> Path:
    """The task's folder.

    Raises:
        SystemExit: the data set is not there.
    """
    if entry.kind == "example":
        place = Path(__file__).parents[2] / "examples" / entry.source
        shutil.copytree(place, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py"))
        return folder
    root = data_root() / entry.source
    if not root.is_dir():
        raise SystemExit(f"{root} is not there.\n\nhint: set ACCORDEUR_DATA")
    counts = {"train": entry.train, "dev": entry.dev, "test": HELD_OUT}
    config: dict[str, Any] = {
        "name": entry.name,
        "instruction": entry.instruction,
        "data": {split: f"{split}.jsonl" for split in counts},
        "metric": entry.metric,
        "allow_leakage": ["near"],
    }
    known = draw_splits(root, counts, folder)
    if entry.kind == "labels":
        chosen = next(one for one in SETS if one.name == entry.source)
        names = sorted({str(row["expected"]) for row in known})
        config["instruction"] = chosen.instruction
        config["labels"] = {name: name.replace("_", " ").strip("? ") for name in names}
    else:
        _add_context(root, counts, folder)
    (folder / "task.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return folder


def _add_context(root: Path, counts: dict[str, int], folder: Path) -> None:
    """Rows that have a paragraph or several accepted answers get them back."""
    for split in counts:
        whole = {str(row["id"]): row for row in read_rows(root / f"{split}.jsonl")}
        place = folder / f"{split}.jsonl"
        lines = []
        for row in read_rows(place):
            full = whole[str(row["id"])]
            if full.get("context"):
                row["context"] = full["context"]
            if full.get("answers"):
                row["expected"] = full["answers"]
            lines.append(json.dumps(row))
        place.write_text("\n".join(lines) + "\n", encoding="utf-8")
