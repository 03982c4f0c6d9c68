"""Real texts of about an abstract's length, and questions whose paragraph is known.

The 240 paragraphs of xquad_en come first, since its questions are asked; then pieces of 780
characters of the five documents of chunking_eval, of the conversations of mts_dialog and of the
scenes of shakespeare, in a drawn order, until there are as many as asked for. They are no
abstracts: no 5,000 of those are here.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.quality.datasets import data_root

PIECE = 780  # with which there are 5,000


def texts(wanted: int) -> dict[str, str]:
    """Name -> text.

    Raises:
        SystemExit: there are not as many.
    """
    found = {name: text for (name, text), _ in zip(_all(), range(wanted), strict=False)}
    if len(found) < wanted:
        raise SystemExit(f"there are only {len(found):,} texts")
    return found


def questions(wanted: int) -> list[tuple[str, str]]:
    """Questions of xquad_en and the name of the text that answers each, drawn with seed 0."""
    root = data_root() / "xquad_en"
    lines = (root / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]
    gold = dict(line.split("\t")[:2] for line in lines)
    rows = [
        row for part in ("train", "dev", "test") for row in _rows(root / f"queries.{part}.jsonl")
    ]
    drawn = random.Random(0).sample(rows, wanted)
    return [(row["text"], gold[row["id"]]) for row in drawn]


def _all() -> Iterator[tuple[str, str]]:
    root = data_root()
    for row in _rows(root / "xquad_en" / "corpus.jsonl"):
        yield row["id"], row["text"]
    long = [
        (path.stem, path.read_text(encoding="utf-8"))
        for path in sorted((root / "chunking_eval" / "corpora").glob("*.md"))
    ]
    for name in ("mts_dialog", "shakespeare"):
        rows = _rows(root / name / "train.jsonl")
        long += [(f"{name}-{at}", str(row["input"])) for at, row in enumerate(rows)]
    pieces = [
        (f"{name}-{start}", text[start : start + PIECE].strip())
        for name, text in long
        for start in range(0, len(text), PIECE)
    ]
    random.Random(0).shuffle(pieces)
    yield from ((name, text) for name, text in pieces if len(text) > PIECE // 5)


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
