"""Judges of an evaluation: measured against people's labels, or called unvalidated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accordeur.bench.matrix.cases import rows
from accordeur.bench.matrix.plan import Plan
from accordeur.bench.matrix.sources import Sources
from accordeur.core.errors import TaskError, UsageError
from accordeur.measure.judges.validation import Labelled, validate

_YES = ("true", "yes", "pass", "passed", "1", "y", "good")
_NO = ("false", "no", "fail", "failed", "0", "n", "bad")


def judges_json(plan: Plan, labels: Path | None, sources: Sources) -> list[dict[str, Any]]:
    """Each judge of the plan with its accuracy; without labels that is null.

    Raises:
        UsageError: there are labels and no judge.
        TaskError: the labels cannot be read.
        EndpointGone: the judge cannot be asked.
    """
    if labels is None:
        return [{"judge": one, "n": 0, "accuracy": None} for one in plan.judges]
    labelled = read_labels(labels, plan)
    return [validate(judge, labelled, sources) for judge in plan.judges]


def read_labels(path: Path, plan: Plan) -> list[Labelled]:
    """Rows with `output`, `pass` and, where the config has several rubrics, `rubric`.

    Raises:
        UsageError: no assertion of the config is judged.
        TaskError: a row lacks something, or says neither yes nor no.
    """
    if not plan.judges:
        raise UsageError(
            "`--judge-labels` measures a judge, and no assertion here has one.",
            hint="add an `llm-rubric` assertion, or leave --judge-labels out",
        )
    rubric = _only_rubric(plan)
    found = []
    for where, row in rows(path):
        text, verdict = row.get("output"), str(row.get("pass", "")).strip().lower()
        own = str(row.get("rubric") or rubric)
        if text is None or verdict not in (*_YES, *_NO):
            raise TaskError(
                f"`{where}` lacks `output`, or its `pass` is neither yes nor no.",
                hint="columns: output, pass (true or false), rubric",
            )
        if not own:
            raise TaskError(
                f"`{where}` names no rubric, and the config has several or one with fields in it.",
                hint="add a column `rubric`",
            )
        found.append(Labelled(own, str(text), verdict in _YES))
    if not found:
        raise TaskError(f"`{path}` holds no labelled answer.")
    return found


def _only_rubric(plan: Plan) -> str:
    """The rubric of the config when there is one alone, without templates."""
    known: set[str] = set()
    for case in plan.matrix.cases:
        known |= {str(check.value) for check in case.checks if check.judge}
        if len(known) > 1:
            return ""
    only = next(iter(known), "")
    return "" if "{{" in only else only
