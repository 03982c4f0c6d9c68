"""Does a search find more when the model writes what is searched for?

    python -m benchmarks.quality.retrieval.rewriting [-m local/smollm2] [--out FILE]

The train and dev questions of `examples/handbook` whose answer has a place; the held-out ones are
not opened. Fusion at 0.5 searches for the question, for one query that the model writes in its
place (`rewrite`), and for the question and up to three queries (`several`). Differences to the
question itself are paired, with whole groups resampled. Prints Markdown, writes every query.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accordeur.bench.documents import Indexed, TaskDocuments
from accordeur.core.rendering import Request
from accordeur.core.task import Example
from accordeur.measure.retrieval import (
    Judged,
    Places,
    RetrievalScore,
    retrieval_difference,
    retrieval_scores,
    span_values,
)
from accordeur.measure.retrieval.scores import DEPTH, Values
from accordeur.models.source import EMBEDDER, LANGUAGE_MODEL, Models
from accordeur.parts.retrieval import Retrieval
from accordeur.parts.retrieval.queries import WAYS
from accordeur.parts.retrieval.query_writer import QueryWriter, Sought
from accordeur.parts.retrieval.retriever import Retriever
from accordeur.tasks import load_task

TASK = Path(__file__).parents[3] / "examples" / "handbook"
SEED = 0
SHOWN = (f"ndcg@{DEPTH}", "hit@3")
QUESTION = "the question"


class Asked:
    """The questions, and what each search finds for them."""

    def __init__(self, rows: Sequence[Example], indexed: Indexed, models: Models) -> None:
        self.requests = [Request.from_example(row) for row in rows]
        self.groups = [row.group for row in rows]
        self._gold = [indexed.placed(row.spans) for row in rows]
        self._places = Places(one.span for one in indexed.collection.passages)
        self._retriever = Retriever(Retrieval(indexed.collection, DEPTH), models)

    def values(self, sought: Sequence[Sought]) -> list[Values | None]:
        """The measures of every question."""
        found = self._retriever.find(self.requests, sought=sought)
        return [
            span_values(
                Judged(
                    group,
                    gold,
                    tuple(one.passage.span for one in hits),
                    len(self._places.relevant(gold)),
                )
            )
            for group, gold, hits in zip(self.groups, self._gold, found, strict=True)
        ]


def measure(asked: Asked, model_name: str, models: Models) -> dict[str, Any]:
    """All ways, beside the question itself."""
    base = asked.values([Sought.itself(one) for one in asked.requests])
    found: dict[str, Any] = {
        "model": model_name,
        "questions": len(base),
        "groups": len(set(asked.groups)),
        "scores": {QUESTION: _json(retrieval_scores(base, asked.groups, seed=SEED))},
        "differences": {},
        "written": {},
    }
    for way in WAYS:
        sought = QueryWriter(way, models.model(model_name)).write(asked.requests)
        values = asked.values(sought)
        difference = retrieval_difference(values, base, asked.groups, seed=SEED)
        found["scores"][way] = _json(retrieval_scores(values, asked.groups, seed=SEED))
        found["differences"][way] = _json(difference)
        found["written"][way] = _written(asked, sought)
    return found


def _written(asked: Asked, sought: Sequence[Sought]) -> dict[str, Any]:
    """What was written, and what it took."""
    itself = [Sought.itself(one).texts for one in asked.requests]
    other = sum(one.texts != own for one, own in zip(sought, itself, strict=True))
    return {
        "other_than_the_question": other,
        "tokens_read": statistics.fmean(one.usage.input_tokens for one in sought),
        "tokens_written": statistics.fmean(one.usage.output_tokens for one in sought),
        "queries": [
            {"question": own[0], "searched": list(one.texts)}
            for one, own in zip(sought, itself, strict=True)
        ],
    }


def _json(scores: dict[str, RetrievalScore]) -> dict[str, Any]:
    return {name: score.to_json() for name, score in scores.items()}


def table(found: dict[str, Any]) -> str:
    """Points with intervals, a line per way."""
    head = ("searched for", *SHOWN, *(f"{name}, less the question's" for name in SHOWN))
    lines = [f"| {' | '.join(head)} | other words | tokens |", "|---" * (len(head) + 2) + "|"]
    for way, scores in found["scores"].items():
        cells = [way, *(f"{100 * scores[name]['value']:.1f}" for name in SHOWN)]
        difference, written = found["differences"].get(way), found["written"].get(way)
        cells += [_signed(difference[name]) if difference else "" for name in SHOWN]
        if written is None:
            cells += ["", ""]
        else:
            tokens = written["tokens_read"] + written["tokens_written"]
            cells += [
                f"{written['other_than_the_question']} of {found['questions']}",
                f"{tokens:.0f}",
            ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _signed(score: dict[str, Any]) -> str:
    low, high = (100 * score["interval"][end] for end in ("low", "high"))
    return f"{100 * score['value']:+.1f} [{low:+.1f}, {high:+.1f}]"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-m", "--model", default=LANGUAGE_MODEL)
    place = Path(__file__).parent / "results" / "handbook-rewriting.json"
    parser.add_argument("--out", type=Path, default=place)
    options = parser.parse_args()
    task, models = load_task(TASK), Models(log=print)
    rows = [row for row in (*task.train, *task.dev) if row.spans and row.expected]
    assert task.documents is not None
    documents = TaskDocuments(Path(task.documents), models.embedder(EMBEDDER), rows, None)
    asked = Asked(rows, documents.indexed(), models)
    found = measure(asked, options.model, models)
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    options.out.write_text(text, encoding="utf-8")
    print(f"\n{found['questions']} questions in {found['groups']} groups, {options.model}\n")
    print(table(found))


if __name__ == "__main__":
    main()
