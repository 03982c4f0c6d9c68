"""Metrics that the user wrote: `module:function` or `file.py:function`.

    def score(answer: str, expected: list[str]) -> float | bool

`answer` is the text the user reads (a label's name on label tasks), `expected` all accepted
answers. The function is called for rows the model answered; failed rows score 0 and unanswerable
ones by abstention without it (`row_rules`), and a truncated text is handed over as it is.

Naming code in a task runs it, so this needs the user's leave (DESIGN section 4 rule 10).
"""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from accordeur.core.answer import Answer
from accordeur.core.errors import CodeNotAllowed, PlanError, TaskError
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.code_files import module_from_file, module_from_name
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import settled

ScoreFunction = Callable[[str, list[str]], float | bool]


class CodeMetric:
    """A user's function as a metric.

    Args:
        name: as written in `task.yaml`.
        function: (answer text, accepted answers) -> a number in [0, 1], or a bool.
    """

    unit_interval = True
    rate = False
    kinds: frozenset[TaskKind] = frozenset({"labels", "text"})

    def __init__(self, name: str, function: ScoreFunction) -> None:
        self.name = name
        self.title = name.rpartition(":")[2]
        self._function = function

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """In [0, 1].

        Raises:
            TaskError: the function failed, or returned something other than a number in [0, 1].
        """
        score = settled(answer, example, graded=True)
        if score is not None:
            return score
        try:
            result: Any = self._function(answer.text, list(example.expected or ()))
        except Exception as error:
            raise TaskError(
                f"The metric `{self.name}` failed on row `{example.id}`:"
                f" {type(error).__name__}: {error}",
                hint="call the function yourself with that row's answer to see where",
            ) from error
        if isinstance(result, np.bool_):
            result = bool(result)
        if not isinstance(result, numbers.Real):
            shown = type(result).__name__
        elif math.isnan(result) or not 0.0 <= float(result) <= 1.0:
            shown = str(result)
        else:
            return float(result)
        raise TaskError(
            f"The metric `{self.name}` returned {shown} for row `{example.id}`.",
            hint="a metric returns a number from 0 to 1, or True or False",
        )

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The mean of rows."""
        return None


def load_code_metric(name: str, *, allow_code: bool, folder: Path) -> CodeMetric:
    """The function behind `module:function` or `file.py:function`.

    Args:
        name: as written in `task.yaml`.
        allow_code: the user allowed it.
        folder: files are relative to it and must lie inside it.

    Raises:
        CodeNotAllowed: `allow_code` is false; nothing was imported.
        PlanError: there is no such file, module or function, or it cannot take two arguments.
    """
    if not allow_code:
        raise CodeNotAllowed(
            f"The task names code as its metric: `{name}`.",
            hint="read that code; if you trust it, add --allow-code",
        )
    place, _, attribute = name.rpartition(":")
    module = _module(place, name, folder)
    function = getattr(module, attribute, None)
    if not callable(function):
        raise PlanError(
            f"There is no function `{attribute}` in `{place}`, which the metric `{name}` names.",
            hint=f"define it there: def {attribute or 'score'}(answer, expected): ...",
        )
    try:
        inspect.signature(function).bind("", [])
    except TypeError as error:
        raise PlanError(
            f"The metric `{name}` cannot be called with two arguments: {error}.",
            hint=f"write it as def {attribute}(answer: str, expected: list[str]) -> float",
        ) from error
    except ValueError:
        pass  # built-in functions do not tell their signature
    return CodeMetric(name, function)


def _module(place: str, name: str, folder: Path) -> ModuleType:
    what = f"the metric `{name}`"
    if place.endswith(".py"):
        return module_from_file(place, what, folder, home="the task's folder")
    return module_from_name(
        place,
        what,
        hint="install it, or write a file of the task's folder: metric: metrics.py:score",
    )
