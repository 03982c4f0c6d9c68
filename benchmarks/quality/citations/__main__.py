"""Citations found by code: is the sentence the right one, and where should the floor stand.

    python -m benchmarks.quality.citations [--out benchmarks/quality/citations/results]
    python -m benchmarks.quality.citations --index NAME --rows rows.jsonl --answers answers.jsonl

The first takes the accepted answers of xquad_en's dev questions (read from `ACCORDEUR_DATA`), each
with the paragraph that answers it among four others of the same article, in drawn order. A
citation is right when its sentence stands in that paragraph and holds an accepted answer. Then the
same questions with the answer of another question: what is still cited would be a false citation.

The second measures citation support of answers that `accordeur ask INDEX --file` wrote: of the
answered questions whose places are known, those that cite a span overlapping one.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accordeur.cli.index.places import existing_index
from accordeur.core.span import Span
from accordeur.documents.citations.marks import stands_in
from accordeur.documents.citations.support import Embed, Supported, Supporters
from accordeur.documents.index import Index, open_index
from accordeur.documents.passage import Passage
from accordeur.measure.retrieval.citation_support import CitedAnswer, citation_support
from accordeur.measure.statistics import wilson
from accordeur.models.source import EMBEDDER, Models
from benchmarks.quality.datasets import data_root

FLOORS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PASSAGES = 5
SEED = 0

Row = Mapping[str, Any]


def attribution(embed: Embed | None) -> dict[str, Any]:
    """How often the best sentence is right, and what each floor keeps."""
    root = data_root() / "xquad_en"
    corpus = {one["id"]: one["text"] for one in lines(root / "corpus.jsonl")}
    rows = lines(root / "dev.jsonl")
    draw = random.Random(SEED)
    right: list[tuple[float, bool]] = []
    wrong: list[float] = []
    for number, row in enumerate(rows):
        passages = shown(row["relevant"][0], corpus, draw)
        supporters = Supporters(row["input"], passages, embed)
        best = supporters.best(row["answers"][0])
        right.append((best.support, is_right(best, passages, row)) if best else (0.0, False))
        other = rows[(number * 7 + 13) % len(rows)]["answers"][0]
        false = supporters.best(other)
        if other not in row["answers"]:
            wrong.append(false.support if false is not None else 0.0)
    hits = sum(good for _, good in right)
    return {
        "n": len(rows),
        "right": share(hits, len(rows)),
        "floors": [
            {
                "floor": floor,
                "cited": share(sum(one >= floor for one, _ in right), len(right)),
                "right_of_cited": share(
                    sum(good for one, good in right if one >= floor),
                    sum(one >= floor for one, _ in right),
                ),
                "false": share(sum(one >= floor for one in wrong), len(wrong)),
            }
            for floor in FLOORS
        ],
    }


def shown(gold: str, corpus: Mapping[str, str], draw: random.Random) -> list[Passage]:
    """The paragraph and others of its article, then of any, in drawn order."""
    article = gold.partition("-")[0]
    same = [one for one in corpus if one.partition("-")[0] == article and one != gold]
    others = [one for one in corpus if one.partition("-")[0] != article]
    draw.shuffle(same)
    chosen = [gold, *(same + draw.sample(others, PASSAGES))[: PASSAGES - 1]]
    draw.shuffle(chosen)
    return [
        Passage(number, Span(name, 0, len(corpus[name])), corpus[name])
        for number, name in enumerate(chosen)
    ]


def is_right(best: Supported, passages: Sequence[Passage], row: Row) -> bool:
    """Whether the sentence stands in the right paragraph and holds an accepted answer."""
    passage = passages[best.sentence.passage]
    quote = passage.text[best.sentence.start : best.sentence.end]
    return passage.span.document == row["relevant"][0] and any(
        one in quote for one in row["answers"]
    )


def support(index: Index, rows: Sequence[Row], answers: Sequence[Row]) -> dict[str, Any]:
    """Citation support of answers, and what the search found for the same questions."""
    by_id = {one["id"]: one for one in answers}
    judged, retrieved, lost, right = [], 0, 0, 0
    for row in rows:
        gold = places(index, row)
        lost += len(row["spans"]) - len(gold)
        one = by_id[row["id"]]
        cited = tuple(Span(c["document"], c["start"], c["end"]) for c in one["citations"])
        passages = [Span(p["document"], p["start"], p["end"]) for p in one["passages"]]
        if gold:
            retrieved += any(p.overlap(g) for p in passages for g in gold)
            said = one["answer"].casefold()
            right += any(text.casefold() in said for text in row["expected"])
        judged.append(CitedAnswer(gold, cited, answered=one["status"] != "abstained"))
    answerable = sum(bool(one.gold) for one in judged)
    unanswerable = [one for one in judged if not one.gold]
    return {
        "support": citation_support(judged).to_json(),
        "support_of_cited": citation_support([one for one in judged if one.cited]).to_json(),
        "gold_was_shown": share(retrieved, answerable),
        "right": share(right, answerable),
        "unanswerable_cited": share(
            sum(bool(one.cited) for one in unanswerable), len(unanswerable)
        ),
        "labels_not_found_in_documents": lost,
    }


def places(index: Index, row: Row) -> tuple[Span, ...]:
    """Where the labelled quotes stand in the indexed documents."""
    found = []
    for one in row["spans"]:
        place = stands_in(one["quote"], index.document(one["document"]).text)
        if place is not None:
            found.append(Span(one["document"], *place))
    return tuple(found)


def share(count: int, n: int) -> dict[str, Any]:
    """A rate with Wilson's interval."""
    spread = wilson(count, n)
    return {"count": count, "n": n, "rate": count / n, "interval": [spread.low, spread.high]}


def lines(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.citations")
    parser.add_argument("--index")
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--answers", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    if given.index:
        with open_index(existing_index(given.index)) as index:
            result = support(index, lines(given.rows), lines(given.answers))
        name = "support"
    else:
        embed = Models().embedder(EMBEDDER).embed
        result = {"words": attribution(None), "words_and_likeness": attribution(embed)}
        name = "attribution"
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
