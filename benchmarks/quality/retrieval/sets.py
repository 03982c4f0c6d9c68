"""Two sets of questions whose answers' places are known, as passages and labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from accordeur.core.span import Span
from accordeur.documents.chunking import ChunkSize, chunk
from accordeur.documents.passage import Passage
from accordeur.documents.readers import markdown
from accordeur.measure.retrieval import Judged, Places, rank_values, span_values
from accordeur.measure.retrieval.scores import Values
from benchmarks.quality.datasets import data_root

SIZE = ChunkSize(200, 32)
"""As an index cuts by default."""


@dataclass(frozen=True)
class Question:
    """A question with the places of its answer.

    Attributes:
        text: what is asked.
        group: questions that are never separated.
        gold: places of the answer.
        split: `dev`, `test`, or empty where the set has none.
    """

    text: str
    group: str
    gold: tuple[Span, ...]
    split: str = ""


@dataclass(frozen=True)
class RetrievalSet:
    """Passages and questions.

    Attributes:
        name: folder under `ACCORDEUR_DATA`.
        values: measures of one question, given what was found, best first.
        shown: measures of the table.
    """

    name: str
    passages: tuple[Passage, ...]
    questions: tuple[Question, ...]
    values: Callable[[Question, Sequence[Passage]], Values | None]
    shown: tuple[str, ...]


def xquad_en() -> RetrievalSet:
    """Paragraphs are passages, and judged whole; questions are grouped by article."""
    root = data_root() / "xquad_en"
    rows = [json.loads(line) for line in _lines(root / "corpus.jsonl")]
    passages = tuple(
        Passage(at, Span(row["id"], 0, len(row["text"])), row["text"])
        for at, row in enumerate(rows)
    )
    gold = {}
    for line in _lines(root / "qrels.tsv")[1:]:
        question, document, _ = line.split("\t")
        gold[question] = document
    lengths = {one.span.document: one.span.end for one in passages}
    questions = tuple(
        Question(
            row["text"],
            gold[row["id"]].partition("-")[0],
            (Span(gold[row["id"]], 0, lengths[gold[row["id"]]]),),
            split,
        )
        for split in ("train", "dev", "test")
        for row in map(json.loads, _lines(root / f"queries.{split}.jsonl"))
    )

    def values(question: Question, found: Sequence[Passage]) -> Values | None:
        grades = {one.document: 1 for one in question.gold}
        return rank_values([one.span.document for one in found], grades)

    return RetrievalSet(
        "xquad_en", passages, questions, values, ("ndcg@10", "recall@1", "recall@5", "mrr@10")
    )


def chunking_eval(count: Callable[[str], int]) -> RetrievalSet:
    """Five long documents, cut as an index cuts them; answers are spans of characters.

    Args:
        count: tokens of a text, as its embedder counts.
    """
    root = data_root() / "chunking_eval"
    passages: list[Passage] = []
    for path in sorted((root / "corpora").glob("*.md")):
        document = markdown.read(path.read_bytes(), path.name)
        for one in chunk(document, SIZE, count, markdown=True):
            span = Span(path.name, one.start, one.end)
            passages.append(Passage(len(passages), span, document.text[one.start : one.end]))
    rows = [json.loads(line) for line in _lines(root / "questions.jsonl")]
    questions = []
    for row in rows:
        gold = tuple(Span(one["document"], one["start"], one["end"]) for one in row["spans"])
        questions.append(Question(row["input"], gold[0].document, gold))
    places = Places(one.span for one in passages)

    def values(question: Question, found: Sequence[Passage]) -> Values | None:
        wanted = len(places.relevant(question.gold))
        spans = tuple(one.span for one in found)
        return span_values(Judged(question.group, question.gold, spans, wanted))

    shown = ("ndcg@10", "span_recall@5", "span_precision@5", "hit@5", "mrr@10")
    return RetrievalSet("chunking_eval", tuple(passages), tuple(questions), values, shown)


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise SystemExit(f"{path} is not there.\n\nhint: set ACCORDEUR_DATA")
    return path.read_text(encoding="utf-8").splitlines()
