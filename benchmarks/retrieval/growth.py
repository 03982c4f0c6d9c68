"""How an index grows: seconds to build, seconds per question, memory, bytes, by passages.

    python -m benchmarks.retrieval.growth [--passages 1000,10000,100000,300000] [--questions 40]

Texts are drawn (150 words each, the r-th word of a vocabulary of 50,000 with a share of about 1/r),
and so are vectors (384 numbers, seeded by the text), so what embeds costs next to nothing and what
is measured is the index: reading, cutting, words, files. Each size runs in a process of its own;
processor seconds of it, the median question's, and its peak memory (mapped vectors that were read
among it).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.core.fingerprint import digest
from accordeur.core.model import FloatArray, ModelIdentity
from accordeur.documents.index import IndexSettings, build_index, open_index
from accordeur.documents.passage import Ranking
from benchmarks.retrieval.clock import Clock

WORDS = 150
VOCABULARY = 50_000
DIMENSION = 384
PER_FILE = 200


class DrawnEmbedder:
    """Vectors drawn from a seed that the text gives."""

    identity = ModelIdentity("drawn", digest("drawn"), "drawn")
    dimension = DIMENSION
    max_tokens = 256

    def count_tokens(self, text: str) -> int:
        """Words."""
        return len(text.split())

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, 384]."""
        seeds = [zlib.crc32(text.encode()) for text in texts]
        drawn = [np.random.default_rng(seed).standard_normal(DIMENSION) for seed in seeds]
        vectors = np.array(drawn, dtype=np.float32).reshape(len(texts), DIMENSION)
        unit: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def write_texts(folder: Path, passages: int) -> None:
    """Files of paragraphs."""
    random = np.random.default_rng(0)
    shares = 1 / np.arange(1, VOCABULARY + 1)
    edges = np.cumsum(shares / shares.sum())
    for start in range(0, passages, PER_FILE):
        count = min(PER_FILE, passages - start)
        words = np.searchsorted(edges, random.random((count, WORDS)))
        paragraphs = [" ".join(f"w{word}" for word in row) + "." for row in words]
        (folder / f"{start}.txt").write_text("\n\n".join(paragraphs), encoding="utf-8")


def measure(passages: int, questions: int) -> dict[str, Any]:
    """One size, in this process."""
    embedder = DrawnEmbedder()
    random = np.random.default_rng(1)
    asked = [
        " ".join(f"w{word}" for word in random.integers(50, 5_000, 6)) for _ in range(questions)
    ]
    with tempfile.TemporaryDirectory() as folder:
        docs, place = Path(folder) / "docs", Path(folder) / "index"
        docs.mkdir()
        write_texts(docs, passages)
        with Clock() as building:
            report = build_index([docs], place, IndexSettings(chunk_tokens=200), embedder)
        size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
        peak_building = _peak()
        with Clock() as opening:
            index = open_index(place, embedder)
        spent = {}
        with index:
            for mode in ("lexical", "dense", "fusion"):
                seconds = []
                for question in asked:
                    with Clock() as clock:
                        index.search([question], 10, ranking=Ranking(mode))
                    seconds.append(clock.processor)
                spent[mode] = 1e3 * float(np.median(seconds))
    return {
        "passages": report.passages,
        "building_s": building.processor,
        "opening_s": opening.processor,
        "ms": spent,
        "megabytes": size / 1e6,
        "peak_building_megabytes": peak_building,
        "peak_megabytes": _peak(),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Every size in a process of its own, then the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", default="1000,10000,100000,300000")
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.questions)))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    columns = ["passages", "building, s", "opening, s", "lexical, ms", "dense, ms", "fusion, ms"]
    columns += ["on disk, MB", "peak building, MB", "peak asking, MB"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for passages in map(int, options.passages.split(",")):
        command = [sys.executable, "-m", "benchmarks.retrieval.growth", "--one", str(passages)]
        command += ["--questions", str(options.questions)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = json.loads(told.splitlines()[-1])
        rows.append(row)
        cells = [f"{row['passages']:,}", f"{row['building_s']:.1f}", f"{row['opening_s']:.2f}"]
        cells += [f"{row['ms'][mode]:.1f}" for mode in ("lexical", "dense", "fusion")]
        cells += [f"{row[f'{what}megabytes']:.0f}" for what in ("", "peak_building_", "peak_")]
        print(f"| {' | '.join(cells)} |", flush=True)
        text = json.dumps(rows, indent=1) + "\n"
        (options.out / "growth.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
