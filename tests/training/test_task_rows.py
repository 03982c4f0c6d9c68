"""What a candidate that reasons learns: worked steps and all, from rows that have them."""

from __future__ import annotations

from tests.training.conftest import Context

from accordeur.core.candidate import Candidate
from accordeur.core.task import Example, TaskBrief
from accordeur.models.local.model import LocalModel
from accordeur.parts.pattern import Reason
from accordeur.parts.prompt import Prompt
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
