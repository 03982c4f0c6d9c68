"""From a question, its answer and the passages it was written from to citations.

A mark of the model counts where it names a passage in which some sentence supports the claim it
stands behind; that sentence is quoted. For a claim without such a mark the best sentence of all
passages is looked for. Either must reach the floor, else the claim is unsupported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from accordeur.core.span import Span
from accordeur.documents.citations.citation import Citation, Cited, Claim, Origin, Stretch
from accordeur.documents.citations.marks import Mark, marks, quotations, stands_in
from accordeur.documents.citations.sentences import sentence_spans
from accordeur.documents.citations.support import Embed, Supported, Supporters
from accordeur.documents.citations.wording import words

FLOOR = 0.5
"""Least support of a citation; measured in `benchmarks/quality/citations`."""


def claims(answer: str) -> list[tuple[Claim, tuple[Mark, ...]]]:
    """The sentences of an answer with the marks in or right behind each; empty ones left out."""
    found = marks(answer)
    plain = "".join(_blanked(answer, found))
    spans = [(a, b) for a, b in sentence_spans(plain) if words(plain[a:b]) or _short_answer(plain)]
    held: list[list[Mark]] = [[] for _ in spans]
    for mark in found:
        before = [place for place, (start, _) in enumerate(spans) if start <= mark.start]
        if spans:
            held[before[-1] if before else 0].append(mark)
    return [
        (Claim(start, end, _tidy(plain[start:end])), tuple(own))
        for (start, end), own in zip(spans, held, strict=True)
    ]


def _tidy(text: str) -> str:
    """On one line, without the gap that a mark leaves before a full stop."""
    return re.sub(r"\s+(?=[.,;:!?](?:\s|$))", "", " ".join(text.split()))


def _short_answer(plain: str) -> bool:
    """An answer such as `Yes.` has no word of its own, and is a claim all the same."""
    return bool(plain.strip()) and not words(plain)


def _blanked(answer: str, found: Sequence[Mark]) -> Iterator[str]:
    """The answer with its marks as spaces, so that places stay."""
    at = 0
    for mark in found:
        yield answer[at : mark.start]
        yield " " * (mark.end - mark.start)
        at = mark.end
    yield answer[at:]


def cite(
    question: str,
    answer: str,
    passages: Sequence[Stretch],
    *,
    embed: Embed | None = None,
    floor: float = FLOOR,
) -> Cited:
    """The citations of an answer.

    Args:
        question: that was asked.
        answer: as the model wrote it.
        passages: in the order of their numbers in the prompt, from 1.
        embed: chooses better among sentences that share words; see `support`.
        floor: least support, 0 to 1.
    """
    supporters = Supporters(question, passages, embed)
    citations: list[Citation] = []
    unsupported: list[Claim] = []
    astray = 0
    for claim, own in claims(answer):
        named = [number for mark in own for number in mark.numbers]
        kept = [
            _citation(one, number, claim, "model", passages)
            for number in dict.fromkeys(named)
            if 1 <= number <= len(passages)
            and (one := supporters.best(claim.text, number - 1, floor)) is not None
        ]
        astray += len(set(named)) - len(kept)
        if not kept:
            best = supporters.best(claim.text, floor=floor)
            if best is not None:
                number = best.sentence.passage + 1
                kept = [_citation(best, number, claim, "code", passages)]
        citations += kept
        unsupported += [] if kept else [claim]
    return Cited(
        tuple(_numbered(citations)), tuple(unsupported), astray, _misquoted(answer, passages)
    )


def _citation(
    found: Supported, number: int, claim: Claim, origin: Origin, passages: Sequence[Stretch]
) -> Citation:
    passage, sentence = passages[found.sentence.passage], found.sentence
    start = passage.span.start
    span = Span(passage.span.document, start + sentence.start, start + sentence.end)
    quote = passage.text[sentence.start : sentence.end]
    return Citation(
        number,
        passage,
        span,
        quote,
        claim,
        origin,
        found.support,
        passage.page,
        passage.headings,
    )


def _numbered(citations: Sequence[Citation]) -> list[Citation]:
    """Numbers as the answer's marks have them; without marks from 1, equal spans alike.

    Where both kinds stand in one answer, those found by code get the numbers behind the model's.
    """
    taken = max((one.number for one in citations if one.origin == "model"), default=0)
    numbers: dict[Span, int] = {}
    found = []
    for one in citations:
        if one.origin == "code":
            number = numbers.setdefault(one.span, taken + 1 + len(numbers))
            one = replace(one, number=number)
        found.append(one)
    return found


def _misquoted(answer: str, passages: Sequence[Stretch]) -> tuple[str, ...]:
    return tuple(
        one
        for one in quotations(answer)
        if not any(stands_in(one, passage.text) for passage in passages)
    )
