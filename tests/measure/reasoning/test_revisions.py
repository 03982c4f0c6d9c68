from __future__ import annotations

from accordeur.core.answer import Answer, Reply
from accordeur.core.measurement import Measurement, RowResult
from accordeur.core.task import Example, TaskBrief
from accordeur.measure.metrics import load_metric
from accordeur.measure.reasoning.revisions import Revisions, revisions

TASK = TaskBrief("t", "", "Solve.", "text", (), "numeric")


def measured(*pairs: tuple[str | None, str]) -> tuple[Measurement, list[Example]]:
    metric = load_metric("numeric")
    examples = [Example(str(at), "q", ("6",), str(at)) for at in range(len(pairs))]
    rows = []
    for example, (draft, final) in zip(examples, pairs, strict=True):
        trace = () if draft is None else (Reply("draft", draft), Reply("answer", final))
        answer = Answer(final, trace=trace)
        rows.append(RowResult(example.id, example.id, answer, metric.row(answer, example, TASK)))
    kept = tuple(range(len(rows)))
    return Measurement("c", "dev", "numeric", tuple(rows), kept, 0.5, None, 0), examples


def test_rows_that_change_sides_are_counted_each_way() -> None:
    one, examples = measured(("5", "6"), ("6", "7"), ("6", "6"), ("4", "5"), ("so it is 6", "6"))
    assert revisions(one, examples, load_metric("numeric"), TASK) == Revisions(
        n=5, draft_right=3, final_right=3, wrong_to_right=1, right_to_wrong=1, changed=4
    )


def test_rows_without_a_draft_say_nothing() -> None:
    one, examples = measured((None, "6"))
    assert revisions(one, examples, load_metric("numeric"), TASK) is None
