"""Metrics by name: `load_metric("rouge-l")`, `load_metric("metrics.py:score", allow_code=True)`.

A metric is one file here and one line in the table below; outside packages join through the entry
point group `accordeur.metrics` (a class without arguments, or an instance). Metrics do not know
each other; what they share is the treatment of failed rows (`row_rules`) and SQuAD's normalisation.

This module imports no metric before it is asked for.
"""

from __future__ import annotations

from pathlib import Path

from accordeur.core.errors import PlanError
from accordeur.core.registry import Registry
from accordeur.core.task import TaskKind
from accordeur.measure.metric import Metric

_HERE = "accordeur.measure.metrics"

METRICS = Registry(
    "accordeur.metrics",
    "metric",
    {
        "accuracy": f"{_HERE}.accuracy:Accuracy",
        "macro-f1": f"{_HERE}.macro_f1:MacroF1",
        "exact-match": f"{_HERE}.exact_match:ExactMatch",
        "token-f1": f"{_HERE}.token_f1:TokenF1",
        "rouge-l": f"{_HERE}.rouge:ROUGE_L",
        "rouge-1": f"{_HERE}.rouge:ROUGE_1",
        "rouge-2": f"{_HERE}.rouge:ROUGE_2",
        "contains": f"{_HERE}.contains:CONTAINS",
        "icontains": f"{_HERE}.contains:ICONTAINS",
        "regex": f"{_HERE}.regex:Regex",
        "json-valid": f"{_HERE}.json_valid:JsonValid",
        "numeric": f"{_HERE}.numeric:Numeric",
        "length": f"{_HERE}.length:Length",
    },
)


def load_metric(name: str, *, allow_code: bool = False, folder: Path = Path()) -> Metric:
    """The metric of this name.

    Args:
        name: a name of the table, or code: `module:function`, or `file.py:function` with the path
            relative to `folder`.
        allow_code: the user allowed code that the task names.
        folder: where `task.yaml` stands.

    Raises:
        CodeNotAllowed: the name is code and `allow_code` is false.
        PlanError: no such metric, file, module or function.
    """
    if ":" in name:
        from accordeur.measure.metrics.code import load_code_metric

        return load_code_metric(name, allow_code=allow_code, folder=folder)
    found = METRICS.load(name)
    metric = found() if isinstance(found, type) else found
    if not isinstance(metric, Metric):
        raise PlanError(
            f"The metric `{name}` lacks a part of what a metric has.",
            hint=f"compare `{METRICS.table[name]}` with accordeur.measure.metric.Metric",
        )
    return metric


def kinds_of(metric: Metric) -> frozenset[TaskKind]:
    """The task kinds a metric can score; one that does not say (`kinds`) can score both."""
    kinds: frozenset[TaskKind] = getattr(metric, "kinds", frozenset(("labels", "text")))
    return kinds


def check_fits(metric: Metric, kind: TaskKind) -> None:
    """Refuse a metric that cannot score this kind of task.

    Raises:
        PlanError: naming the metrics that could.
    """
    if kind in kinds_of(metric):
        return
    fitting = [name for name in METRICS.names() if kind in kinds_of(load_metric(name))]
    answers = "labels" if kind == "labels" else "free text"
    raise PlanError(
        f"The metric `{metric.name}` cannot score a task whose answers are {answers}.",
        hint=f"write one of these as `metric` in task.yaml: {', '.join(fitting)}",
    )
