"""Index texts and answer questions: Accordeur, LlamaIndex, sentence-transformers with FAISS.

    python -m benchmarks.retrieval.race --peers VENV/bin/python [--texts 5000] [--questions 300]
        [--turns 2] [--out benchmarks/retrieval/results]

Each turn runs every side once in a process of its own, one after the other; models are loaded and
warm before the clock starts. Processor seconds count, since the machine may be busy; the least of
the turns is told.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accordeur.measure.retrieval import rank_values, retrieval_difference, retrieval_scores
from accordeur.models import catalog
from benchmarks.retrieval.collection import questions, texts

K = 10
SEED = 0


def run(side: str, peers: str, work: Path) -> dict[str, Any]:
    """One side in a process of its own."""
    folder = catalog.ready(catalog.MINILM)
    out = work.with_suffix(".out")
    here = Path(__file__).parent
    command = (
        [sys.executable, "-m", "benchmarks.retrieval.ours", str(work), str(out)]
        if side == "accordeur"
        else [peers, str(here / "peer.py"), side, str(folder), str(work), str(out)]
    )
    clean = {} if side == "accordeur" else {"PYTHONPATH": ""}
    subprocess.run(command, check=True, env={**os.environ, **clean})
    told: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return told


def main() -> None:
    """Race and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", required=True, help="an interpreter that has them")
    parser.add_argument("--texts", type=int, default=5_000)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    asked = questions(options.questions)
    sides = ("accordeur", "llama-index", "faiss")
    turns: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work.json"
        told = {"texts": texts(options.texts), "questions": [one for one, _ in asked], "k": K}
        work.write_text(json.dumps(told), encoding="utf-8")
        for turn in range(options.turns):
            for side in sides[turn % 3 :] + sides[: turn % 3]:
                turns[side].append(run(side, options.peers, work))
                print(
                    turn, side, turns[side][-1]["indexing"], turns[side][-1]["asking"], flush=True
                )
    options.out.mkdir(parents=True, exist_ok=True)
    found = {side: _summary(turns[side], asked, turns["accordeur"]) for side in sides}
    name = f"race-{options.texts}.json"
    (options.out / name).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    _print(found)


def _summary(
    turns: Sequence[dict[str, Any]],
    asked: Sequence[tuple[str, str]],
    ours: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    gold = [{name: 1} for _, name in asked]
    groups = [name.partition("-")[0] for _, name in asked]
    values = [rank_values(row, one) for row, one in zip(turns[0]["ranked"], gold, strict=True)]
    base = [rank_values(row, one) for row, one in zip(ours[0]["ranked"], gold, strict=True)]
    least = {
        f"{part}_{clock}": min(turn[part][clock] for turn in turns)
        for part in ("indexing", "asking")
        for clock in ("processor", "wall")
    }
    return {
        "side": turns[0]["side"],
        "passages": turns[0]["passages"],
        **least,
        "ndcg@10": retrieval_scores(values, groups, seed=SEED)["ndcg@10"].to_json(),
        "ours_less_this": retrieval_difference(base, values, groups, seed=SEED)[
            "ndcg@10"
        ].to_json(),
    }


def _print(found: dict[str, dict[str, Any]]) -> None:
    ours = found["accordeur"]
    print("\n| side | indexing, s | asking, s | together | ours is faster | nDCG@10 |")
    print("|---|---|---|---|---|---|")
    total = ours["indexing_processor"] + ours["asking_processor"]
    for one in found.values():
        spent = one["indexing_processor"] + one["asking_processor"]
        score = one["ndcg@10"]
        low, high = score["interval"]["low"], score["interval"]["high"]
        print(
            f"| {one['side']} | {one['indexing_processor']:.1f} | {one['asking_processor']:.2f}"
            f" | {spent:.1f} | {spent / total:.2f}x"
            f" | {100 * score['value']:.1f} [{100 * low:.1f}, {100 * high:.1f}] |"
        )


if __name__ == "__main__":
    main()
