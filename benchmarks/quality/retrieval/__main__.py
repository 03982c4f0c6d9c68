"""Words, vectors, both together, on two sets with known answers.

    python -m benchmarks.quality.retrieval [--sets xquad_en,chunking_eval] [--dtypes float32,int8]
        [--peer VENV/bin/python] [--vectors FOLDER] [--out benchmarks/quality/retrieval/results]

Every ranking answers the same questions; differences are paired, with whole groups resampled. The
weight of the tuned fusion is chosen by nDCG@10: on the dev questions where the set has them, else
for each group on all other groups. Prints Markdown, writes JSON with every interval.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from accordeur.documents.passage import Ranking
from accordeur.documents.ranking.memory import PassageList
from accordeur.measure.retrieval import RetrievalScore, retrieval_difference, retrieval_scores
from accordeur.measure.retrieval.scores import Values
from accordeur.models.source import EMBEDDER, Models
from benchmarks.quality.retrieval.sets import Question, RetrievalSet, chunking_eval, xquad_en
from benchmarks.quality.retrieval.vectors import PEER, KeptEmbedder, kept, peers

SEED = 0
DEPTH = 10
WEIGHTS = tuple(round(0.1 * step, 1) for step in range(11))
LABELS_TO_TUNE = 50
FIXED: Mapping[str, Ranking] = {
    "lexical": Ranking("lexical"),
    "dense": Ranking("dense"),
    "fusion 0.5": Ranking("fusion", 0.5),
    "rrf": Ranking("rrf"),
}
TUNED = "fusion tuned"


class Asked:
    """A set's questions asked of its passages, each ranking once."""

    def __init__(self, chosen: RetrievalSet, embedder: KeptEmbedder) -> None:
        self.set = chosen
        texts = [one.text for one in chosen.passages]
        self._list = PassageList(chosen.passages, embedder.embed(texts), embedder.embed)
        self._known: dict[Ranking, list[Values | None]] = {}

    def values(self, ranking: Ranking) -> list[Values | None]:
        """The measures of every question of the set."""
        if ranking not in self._known:
            found = self._list.search(
                [one.text for one in self.set.questions], DEPTH, ranking=ranking
            )
            self._known[ranking] = [
                self.set.values(question, [one.passage for one in row])
                for question, row in zip(self.set.questions, found, strict=True)
            ]
        return self._known[ranking]

    def tuned(self, on: Sequence[int]) -> Ranking:
        """The fusion whose nDCG@10 is highest over these questions; ties to the weight nearest 0.5.

        Raises:
            ValueError: they are too few to choose by.
        """
        if len(on) < LABELS_TO_TUNE:
            raise ValueError(f"{len(on)} labelled questions are too few to choose a weight by")

        def mean(weight: float) -> float:
            values = self.values(Ranking("fusion", weight))
            scores = [one["ndcg@10"] for at in on if (one := values[at]) is not None]
            return sum(scores) / len(scores)

        best = max(WEIGHTS, key=lambda weight: (round(mean(weight), 6), -abs(weight - 0.5)))
        return Ranking("fusion", best)


def measure(asked: Asked) -> dict[str, Any]:
    """All rankings of a set, over its held-out questions or, without a split, over all."""
    questions = asked.set.questions
    held_out = [at for at, one in enumerate(questions) if one.split in ("test", "")]
    values = {name: asked.values(ranking) for name, ranking in FIXED.items()}
    values[TUNED], weights = _tuned(asked, questions)
    picked = {name: [found[at] for at in held_out] for name, found in values.items()}
    groups = [questions[at].group for at in held_out]
    scores = {name: retrieval_scores(some, groups, seed=SEED) for name, some in picked.items()}
    single = max(("lexical", "dense"), key=lambda name: scores[name]["ndcg@10"].value)
    differences = {
        f"{name} - {other}": retrieval_difference(picked[name], picked[other], groups, seed=SEED)
        for name in ("fusion 0.5", TUNED, "rrf")
        for other in ("lexical", "dense")
    }
    differences[f"{TUNED} - fusion 0.5"] = retrieval_difference(
        picked[TUNED], picked["fusion 0.5"], groups, seed=SEED
    )
    return {
        "set": asked.set.name,
        "passages": len(asked.set.passages),
        "questions": len(held_out),
        "groups": len(set(groups)),
        "better_single": single,
        "weights": weights,
        "scores": _json(scores),
        "differences": _json(differences),
    }


def _tuned(
    asked: Asked, questions: Sequence[Question]
) -> tuple[list[Values | None], dict[str, float]]:
    """Values with a weight chosen on questions that are not measured, and the weights."""
    dev = [at for at, one in enumerate(questions) if one.split == "dev"]
    if dev:
        ranking = asked.tuned(dev)
        return asked.values(ranking), {"dev": ranking.weight}
    found: list[Values | None] = [None] * len(questions)
    weights = {}
    for group in sorted({one.group for one in questions}):
        inside = [at for at, one in enumerate(questions) if one.group == group]
        ranking = asked.tuned([at for at in range(len(questions)) if at not in set(inside)])
        weights[group] = ranking.weight
        for at in inside:
            found[at] = asked.values(ranking)[at]
    return found, weights


def _json(scores: Mapping[str, Mapping[str, RetrievalScore]]) -> dict[str, Any]:
    return {
        name: {measure: score.to_json() for measure, score in row.items()}
        for name, row in scores.items()
    }


def table(found: Mapping[str, Any], shown: Sequence[str]) -> str:
    """Scores in points with intervals, a line per ranking."""
    lines = [f"| {found['set']} | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(_cell(row[measure]) for measure in shown) + " |"
        for name, row in found["scores"].items()
    ]
    lines += ["", "| difference | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(_cell(row[measure], sign="+") for measure in shown) + " |"
        for name, row in found["differences"].items()
    ]
    return "\n".join(lines)


def _cell(score: Mapping[str, Any], sign: str = "", digits: int = 1) -> str:
    form = f"{sign}.{digits}f"
    ends = [format(100 * score["interval"][end], form) for end in ("low", "high")]
    return f"{format(100 * score['value'], form)} [{', '.join(ends)}]"


def main() -> None:
    """Measure the sets that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default="xquad_en,chunking_eval")
    parser.add_argument("--dtypes", default="float32,bfloat16,int8")
    parser.add_argument("--peer", help="an interpreter with sentence-transformers")
    parser.add_argument("--vectors", type=Path, default=Path(".accordeur/retrieval-vectors"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    models = Models(log=print)
    count = models.embedder(EMBEDDER).count_tokens
    makers: Mapping[str, Callable[[], RetrievalSet]] = {
        "xquad_en": xquad_en,
        "chunking_eval": lambda: chunking_eval(count),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.sets.split(","):
        chosen = makers[name]()
        dense = {}
        for dtype in options.dtypes.split(","):
            asked = Asked(chosen, kept(chosen, models.embedder(EMBEDDER, dtype), options.vectors))
            found = measure(asked)
            text = json.dumps(found, indent=1) + "\n"
            (options.out / f"{name}-{dtype}.json").write_text(text, encoding="utf-8")
            print(
                f"\n{name}, {dtype}: {found['passages']:,} passages, {found['questions']:,}"
                f" questions in {found['groups']} groups; weights {found['weights']}\n"
            )
            print(table(found, chosen.shown), flush=True)
            dense[dtype] = asked.values(FIXED["dense"])
        if options.peer:
            peer = Asked(chosen, peers(chosen, options.peer, options.vectors))
            dense[PEER] = peer.values(FIXED["dense"])
        _compare_dtypes(chosen, dense)


def _compare_dtypes(chosen: RetrievalSet, dense: Mapping[str, Sequence[Values | None]]) -> None:
    """Every dtype, and sentence-transformers, less float32; dense, over all questions."""
    groups = [one.group for one in chosen.questions]
    for dtype, values in dense.items():
        if dtype != "float32" and "float32" in dense:
            found = retrieval_difference(values, dense["float32"], groups, seed=SEED)
            score = found["ndcg@10"].to_json()
            print(f"\n{chosen.name}: dense nDCG@10, {dtype} - float32: {_cell(score, '+', 2)}")


if __name__ == "__main__":
    main()
