"""What a candidate that reasons learns: worked steps and all, from rows that have them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.training.conftest import Context

from accordeur.core.candidate import Candidate
from accordeur.core.rendering import Request
from accordeur.core.span import Span
from accordeur.core.task import Example, TaskBrief
from accordeur.documents.passage import Passage, Ranking
from accordeur.models.local.model import LocalModel
from accordeur.parts.pattern import Reason
from accordeur.parts.prompt import Prompt
from accordeur.parts.retrieval import Collection, Retrieval
from accordeur.parts.retrieval.query_writer import QueryWriter, Sought
from accordeur.training.ground import Ground
from accordeur.training.task_rows import task_rows

TASK = TaskBrief("sums", "", "Add.", "text", (), "numeric")
ROWS = [
    Example("1", "2 boxes of 3?", ("6",), "1", steps=("2 * 3 = 6",)),
    Example("2", "no steps here", ("7",), "2"),
    Example("3", "4 and 5?", ("9",), "3", steps=("4 + 5", "= 9")),
]


def learned(candidate: Candidate, tiny: LocalModel) -> list[str]:
    context = Context(tiny)
    chat = Ground.under(candidate, context).chat  # type: ignore[arg-type]
    rows = task_rows(candidate, ROWS, context, chat)  # type: ignore[arg-type]
    return [chat.decode(row.answer, special=True) for row in rows]


def test_steps_are_learned_where_the_candidate_reasons(tiny: LocalModel) -> None:
    plain = Candidate(TASK, "tiny").with_part(Prompt("Add."))
    assert learned(plain, tiny) == ["6<|im_end|>", "7<|im_end|>", "9<|im_end|>"]
    assert learned(plain.with_part(Reason(40)), tiny) == [
        "2 * 3 = 6\nAnswer: 6<|im_end|>",
        "4 + 5\n= 9\nAnswer: 9<|im_end|>",
    ]


def test_rows_are_learned_with_the_passages_that_are_found_for_them(tiny: LocalModel) -> None:
    texts = ("Boxes hold 3 of them.", "Crates are blue.")
    passages = tuple(
        Passage(at, Span(f"{at}.md", 0, len(text)), text) for at, text in enumerate(texts)
    )
    part = Retrieval(Collection(passages), 1, Ranking("lexical"), words="", gold=1.0)
    candidate = Candidate(TASK, "tiny").with_part(Prompt("Add.")).with_part(part)
    rows = [
        Example("1", "2 boxes?", ("6",), "1", spans=(Span("0.md", 0, 5),)),
        Example("2", "Crates?", ("7",), "2", spans=(Span("0.md", 0, 5),)),
        Example("3", "Crates!", ("9",), "3"),
    ]
    context = Context(tiny)
    chat = Ground.under(candidate, context).chat  # type: ignore[arg-type]
    shown = [
        chat.decode((*row.prefix, *row.row))
        for row in task_rows(candidate, rows, context, chat)  # type: ignore[arg-type]
    ]
    assert [texts[0] in one for one in shown] == [True, True, False], "gold where it was missed"
    assert [texts[1] in one for one in shown] == [False, False, True]
    assert all(one.index("[1]") < one.index("?" if at < 2 else "!") for at, one in enumerate(shown))


def test_rows_are_learned_with_what_written_queries_find(
    tiny: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Sequence[Request]] = []

    def write(writer: QueryWriter, requests: Sequence[Request]) -> list[Sought]:
        assert writer.way == "rewrite"
        written.append(requests)
        return [Sought(("crates",)) for _ in requests]

    monkeypatch.setattr(QueryWriter, "write", write)  # a random model writes no query
    texts = ("Boxes hold 3 of them.", "Crates are blue.")
    passages = tuple(
        Passage(at, Span(f"{at}.md", 0, len(text)), text) for at, text in enumerate(texts)
    )
    part = Retrieval(Collection(passages), 1, Ranking("lexical"), words="", queries="rewrite")
    candidate = Candidate(TASK, "tiny").with_part(Prompt("Add.")).with_part(part)
    context = Context(tiny)
    chat = Ground.under(candidate, context).chat  # type: ignore[arg-type]
    (row,) = task_rows(candidate, ROWS[:1], context, chat)  # type: ignore[arg-type]
    assert texts[1] in chat.decode((*row.prefix, *row.row))
    assert len(written) == 1
