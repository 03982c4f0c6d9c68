"""What a metric is: a number per row, and for some a number over a set of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from accordeur.core.answer import Answer
from accordeur.core.task import Example, TaskBrief

SetStatistic = Callable[[npt.NDArray[np.intp]], float]
"""The metric over the rows of an index array (rows may repeat: a bootstrap resample)."""


@runtime_checkable
class Metric(Protocol):
    """How right an answer is.

    Attributes:
        name: as written in `task.yaml`.
        title: for tables.
        unit_interval: scores lie in [0, 1]; 0.01 is one point.
        rate: row scores are 0 or 1, so a rate's interval and McNemar's test apply.
    """

    name: str
    title: str
    unit_interval: bool
    rate: bool

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """The score of one answer. Failures of the model are answers like any other: wrong."""
        ...

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The metric over sets of rows when it is not the mean of rows, else `None`."""
        ...
