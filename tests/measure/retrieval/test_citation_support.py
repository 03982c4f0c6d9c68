"""Whether answers cite the places where the answer stands."""

from __future__ import annotations

from accordeur.core.span import Span
from accordeur.measure.retrieval.citation_support import CitedAnswer, citation_support
from accordeur.measure.statistics import wilson

GOLD = (Span("a.md", 10, 20),)


def test_one_shared_character_supports_and_another_document_does_not() -> None:
    answers = [
        CitedAnswer(GOLD, (Span("a.md", 0, 11),)),
        CitedAnswer(GOLD, (Span("a.md", 0, 10),)),
        CitedAnswer(GOLD, (Span("b.md", 10, 20), Span("a.md", 19, 40))),
        CitedAnswer(GOLD, ()),
    ]
    found = citation_support(answers)
    assert (found.supported, found.cited, found.n, found.rate) == (2, 3, 4, 0.5)
    assert found.interval is not None
    assert found.interval.low == wilson(2, 4).low


def test_withheld_answers_and_questions_without_gold_are_left_out() -> None:
    answers = [
        CitedAnswer(GOLD, (), answered=False),
        CitedAnswer((), (Span("a.md", 1, 2),)),
    ]
    found = citation_support(answers)
    assert (found.n, found.rate, found.interval) == (0, None, None)
    assert found.to_json()["rate"] is None
