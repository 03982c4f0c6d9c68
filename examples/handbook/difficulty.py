"""How hard the questions are for a search: where the passages with the answer stand.

    accordeur index build handbook examples/handbook/documents
    python examples/handbook/difficulty.py

Prints the tables of the README. All 90 questions with an answer are counted, whatever their file:
this describes the data and chooses nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

from spans import SPLITS, rows_of

from accordeur.core.span import Span
from accordeur.documents.index import embedder_info, open_index
from accordeur.documents.passage import Mode, Ranking
from accordeur.measure.retrieval import Judged, Places, retrieval_scores, span_values
from accordeur.models.source import Models

SHOWN = ("hit@1", "hit@3", "hit@5", "hit@10", "span_recall@5", "ndcg@10")


def judged(folder: Path) -> dict[str, list[Judged]]:
    """What each way of ranking finds for the questions that have an answer."""
    rows = [row for split in SPLITS for row in rows_of(split) if row["spans"]]
    golds = [
        tuple(Span(one["document"], one["start"], one["end"]) for one in row["spans"])
        for row in rows
    ]
    questions = [row["input"] for row in rows]
    info = embedder_info(folder)
    if info is None:
        sys.exit(f"There are no vectors in {folder}: build the index as is said above.")
    with open_index(folder, Models().embedder(info.name, info.dtype or None)) as index:
        names = [document.name for document in index.documents()]
        places = Places(one.span for name in names for one in index.passages(name))
        found = {
            mode: index.search(questions, 10, ranking=Ranking(mode)) for mode in get_args(Mode)
        }
    return {
        mode: [
            Judged(row["group"], gold, tuple(hit.passage.span for hit in hits), n)
            for row, gold, hits in zip(rows, golds, lists, strict=True)
            for n in [len(places.relevant(gold))]
        ]
        for mode, lists in found.items()
    }


def line(name: str, questions: list[Judged]) -> str:
    """A row of a Markdown table, in per cent with the 95 per cent interval of nDCG."""
    groups = [one.group for one in questions]
    scores = retrieval_scores([span_values(one) for one in questions], groups, seed=1)
    cells = [f"{100 * scores[measure].value:.0f}" for measure in SHOWN]
    spread = scores["ndcg@10"].interval
    if spread is not None:
        cells[-1] += f" ({100 * spread.low:.0f} to {100 * spread.high:.0f})"
    return f"| {' | '.join((name, str(len(questions)), *cells))} |"


def main(folder: Path) -> None:
    """A line for each way of ranking, then one for each format, ranked by fusion."""
    found = judged(folder)
    print(f"| ranking | n | {' | '.join(SHOWN)} |")
    print("|---|" + "---:|" * (len(SHOWN) + 1))
    for mode, questions in found.items():
        print(line(mode, questions))
    for ending in ("md", "html", "pdf"):
        of = [one for one in found["fusion"] if one.gold[0].document.endswith(f".{ending}")]
        print(line(f"fusion, {ending}", of))
    several = [one for one in found["fusion"] if len({span.document for span in one.gold}) > 1]
    print(line("fusion, two documents", several))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".accordeur/indexes/handbook"))
