"""The exact search beside one bare pass over the vectors, which no exact search can do without.

    OMP_NUM_THREADS=1 python -m benchmarks.retrieval.exact [--vectors 10000,100000,300000]
        [--questions 64] [--turns 5] [--peer PYTHON]

Drawn unit vectors (384 numbers, float32) in a memory-mapped file, the 100 best. Milliseconds of the
wall per question, the least of the turns, after one that is not counted: `one` asked alone, `batch`
64 together, `pass` is `matrix @ query`, `gigabytes` a second is what that pass reads. With a peer
that has faiss, `faiss` is its `IndexFlatIP` asked one by one, built from the same file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from accordeur.core.model import FloatArray
from accordeur.documents.vectors import UNIT, VectorIndex

DIMENSION = 384
BEST = 100

_FAISS = """
import json, sys, time
import faiss, numpy as np
faiss.omp_set_num_threads(1)
vectors, queries = np.load(sys.argv[1], mmap_mode="r"), np.load(sys.argv[2])
index = faiss.IndexFlatIP(vectors.shape[1])
index.add(np.ascontiguousarray(vectors))
least = float("inf")
for turn in range(int(sys.argv[3]) + 1):
    began = time.perf_counter()
    for at in range(len(queries)):
        index.search(queries[at : at + 1], 100)
    if turn:
        least = min(least, time.perf_counter() - began)
print(json.dumps(1e3 * least / len(queries)))
"""


def unit_vectors(count: int, seed: int) -> FloatArray:
    """Drawn, each of length 1, float32 [count, d]."""
    drawn = np.random.default_rng(seed).standard_normal((count, DIMENSION), dtype=np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn


def least(work: Callable[[], object], turns: int, questions: int) -> float:
    """Milliseconds per question of the fastest turn; the first one warms up."""
    found = []
    for _ in range(turns + 1):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return 1e3 * min(found[1:]) / questions


def measure(count: int, questions: int, turns: int, peer: str | None) -> dict[str, float]:
    """One size."""
    queries = unit_vectors(questions, 1)
    with tempfile.TemporaryDirectory() as folder:
        place, asked = Path(folder) / "vectors.npy", Path(folder) / "queries.npy"
        np.save(place, unit_vectors(count, 0))
        np.save(asked, queries)
        vectors = np.load(place, mmap_mode="r")
        index = VectorIndex(vectors, longest=UNIT)
        bare = least(lambda: [vectors @ query for query in queries], turns, questions)
        found = {
            "vectors": float(count),
            "one": least(lambda: [index.search(q[None], BEST) for q in queries], turns, questions),
            "batch": least(lambda: index.search(queries, BEST), turns, questions),
            "pass": bare,
            "gigabytes": vectors.nbytes / 1e6 / bare,
        }
        if peer is not None:
            command = [peer, "-c", _FAISS, str(place), str(asked), str(turns)]
            said = subprocess.run(command, capture_output=True, text=True, check=True)
            found["faiss"] = json.loads(said.stdout)
    return found


def main() -> None:
    """A row of a Markdown table for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", default="10000,100000,300000")
    parser.add_argument("--questions", type=int, default=64)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--peer")
    asked = parser.parse_args()
    for size in asked.vectors.split(","):
        found = measure(int(size), asked.questions, asked.turns, asked.peer)
        print("| " + " | ".join(f"{name} {value:.4g}" for name, value in found.items()) + " |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
